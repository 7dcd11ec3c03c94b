"""Environments (package sets a job may ask for) and data sets (mounted read-only)."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campus.core.models import BilingualName

sha256_hex = RegexValidator(r"^[0-9a-f]{64}$", _("A SHA-256 has 64 hexadecimal digits."))


class Environment(BilingualName):
    """A set of Python packages pinned with hashes. `digest` names it wherever it is built.

    An environment is never edited once a job may have used it: a new version is a new row, and the
    old one is no longer offered.
    """

    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True)
    requirements = models.TextField(_("requirements with hashes"), blank=True)
    digest = models.CharField(max_length=64, unique=True, validators=[sha256_hex])
    is_active = models.BooleanField(_("offered"), default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("slug",)


class DataSet(BilingualName):
    """Files that jobs read at /data/SLUG. The archive is a zip that nodes fetch once by digest."""

    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True)
    licence = models.CharField(_("licence"), max_length=120, blank=True)
    archive = models.FileField(upload_to="datasets/")
    digest = models.CharField(max_length=64, unique=True, validators=[sha256_hex])
    size_bytes = models.BigIntegerField()
    file_count = models.PositiveIntegerField()
    is_active = models.BooleanField(_("offered"), default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("slug",)
