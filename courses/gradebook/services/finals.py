"""Final grades: set by hand with a reason, published as a snapshot that later changes do not touch."""

from collections.abc import Collection
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput
from campus.people.models import User
from courses.catalog.models import CourseRun, Enrolment
from courses.gradebook.books import Book, book_of
from courses.gradebook.models import FinalOverride, Gradebook, PublishedGrade
from courses.gradebook.notices import tell_learners_of_finals

MOST_PERCENT = Decimal(200)


def seen_of(override: FinalOverride | None) -> str:
    """What a form keeps of the override that it showed."""
    return str(override.percent) if override else ""


@transaction.atomic
def override_final(
    *, enrolment: Enrolment, percent: Decimal | None, reason: str, actor: User, seen: str | None = None
) -> FinalOverride | None:
    """Set a learner's final percentage by hand, or (None) let the computed one stand again.

    `seen` is `seen_of` what the person saw before; None takes whatever is there. Raises InvalidInput, Conflict (another
    set it meanwhile).
    """
    Enrolment.objects.select_for_update(of=("self",), no_key=True).get(pk=enrolment.pk)
    before = FinalOverride.objects.select_related("actor").filter(enrolment=enrolment).first()
    if seen is not None and seen != seen_of(before):
        if before is None:
            raise Conflict(_("Somebody ended the grade by hand meanwhile. Save again if yours shall stand."))
        words = _("%(who)s set %(percent)s %% meanwhile: %(reason)s. Save again if yours shall stand.")
        raise Conflict(words % {"who": before.actor, "percent": before.percent, "reason": before.reason})
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise InvalidInput({"reason": _("Say why: the learner reads it.")})
    if percent is not None and not (percent.is_finite() and 0 <= percent <= MOST_PERCENT):
        raise InvalidInput({"percent": _("Enter a percentage from 0 to %(most)d.") % {"most": MOST_PERCENT}})
    if percent is None:
        if before is None:
            return None
        audit.record(
            actor=actor, verb="finaloverride.ended", target=before, subject=enrolment.user,
            changes={"percent": (before.percent, None)}, reason=reason,
        )  # fmt: skip
        before.delete()
        return None
    old = before.percent if before else None
    override = before or FinalOverride(enrolment=enrolment)
    override.percent, override.reason, override.actor = round(percent, 2), reason, actor
    override.save()
    audit.record(
        actor=actor, verb="finaloverride.set", target=override, subject=enrolment.user,
        changes={"percent": (old, override.percent)}, reason=reason,
    )  # fmt: skip
    return override


@transaction.atomic
def publish_finals(*, run: CourseRun, cohort_ids: Collection[int], actor: User) -> int:
    """Publish the final grades of these cohorts as they are now. Returns how many are new or changed.

    Raises Conflict when an item that counts is still hidden from learners: what they see must explain
    the grade.
    """
    book_row, _made = Gradebook.objects.select_for_update(of=("self",)).get_or_create(run=run)
    book = book_of(run, cohort_ids=cohort_ids)
    hidden = [item.title for item in book.items if not item.is_published and _is_used(book, item.pk)]
    if hidden:
        words = _("Publish these items first, or learners cannot see what their grade is made of: %(items)s.")
        raise Conflict(words % {"items": ", ".join(hidden[:10])})
    current = {one.enrolment_id: one for one in PublishedGrade.objects.filter(enrolment__run=run, is_current=True)}
    fresh = []
    for row in book.rows:
        grade = book.grade(row.pk)
        percent, band = book.final(row.pk, grade)
        old = current.get(row.pk)
        if old is None or (old.percent, old.band) != (percent, band):
            fresh.append(PublishedGrade(enrolment=row, percent=percent, band=band, computed=grade.percent, actor=actor))
    replaced = [current[one.enrolment_id].pk for one in fresh if one.enrolment_id in current]
    PublishedGrade.objects.filter(pk__in=replaced).update(is_current=False)
    PublishedGrade.objects.bulk_create(fresh)
    tell_learners_of_finals(run, fresh)
    book_row.finals_published_at = database_now()
    book_row.save(update_fields=["finals_published_at"])
    audit.record(actor=actor, verb="gradebook.published", target=book_row, changes={"grades": (0, len(fresh))})
    return len(fresh)


def _is_used(book: Book, item_id: int) -> bool:
    return any(item == item_id for item, _enrolment in {**book.cells, **book.sourced})
