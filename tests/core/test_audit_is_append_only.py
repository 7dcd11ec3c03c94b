"""The audit trail cannot be edited or deleted, not even by our own code."""

import pytest
from django.db import DatabaseError, transaction

from campus.core.audit import record
from campus.core.models import AuditEntry
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_an_entry_is_neither_changed_nor_deleted():
    person = UserFactory()
    entry = record(actor=person, verb="person.renamed", target=person, subject=person)
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(verb="nothing.happened")
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).delete()
    assert AuditEntry.objects.get(pk=entry.pk).verb == "person.renamed"


def test_erasing_a_person_keeps_what_was_done_and_their_name():
    person = UserFactory(name="김하늘")
    entry = record(actor=person, verb="person.renamed", target=person, subject=person)
    person.delete()
    entry.refresh_from_db()
    assert (entry.actor, entry.subject, entry.actor_label) == (None, None, "김하늘")
