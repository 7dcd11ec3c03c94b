"""What can be found: a row for each lesson, lab, class …, as it is shown, with the numbers of its words' grams."""

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from courses.catalog.models import CourseRun
from courses.content.models import Module


class Numbers(ArrayField):
    """Whole numbers, written at once: preparing each of a text's thousand costs more than all else of writing it."""

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, Sequence) and not isinstance(value, str):
            return "{" + ",".join(map(str, value)) + "}"
        return super().get_db_prep_value(value, connection, prepared)

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.contrib.postgres.fields.ArrayField", args, kwargs


class Document(models.Model):
    """A copy of words that live elsewhere; it may be deleted and made again at any time.

    `is_shown`: learners may see it, once its module is open to them and its run is published. `cohort_ids` are those
    for whom it is, none: for all. Without a `run` its kind says who may find it. `title` and `body` are tidy texts,
    `*_folded` the same in small letters.

    The grams' index is the only one that fits a question: another would be chosen wrongly, since the planner does not
    count what fetching a row's grams costs.
    """

    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()
    run = models.ForeignKey(CourseRun, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    module = models.ForeignKey(Module, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    cohort_ids = ArrayField(models.BigIntegerField(), default=list)
    is_shown = models.BooleanField(default=False)
    title = models.TextField()
    body = models.TextField(blank=True)
    title_folded = models.TextField()
    body_folded = models.TextField(blank=True)
    grams = Numbers(models.IntegerField(), default=list)
    url = models.CharField(max_length=300)
    at = models.DateTimeField(null=True)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("object_id", "kind"), name="search_document_once"),)
        indexes = (GinIndex(fields=("grams",), name="search_document_grams"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}: {self.title}"
