"""A run's policy: a new version, what it would change, and redrawing every verdict when it is saved."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import Conflict, InvalidInput
from campus.people.models import User
from courses.attendance.domain.rules import BadRules, Rules, as_json, rules_from
from courses.attendance.models import Mark, Policy, Verdict
from courses.catalog.models import CourseRun
from courses.timetable.models import ClassSession

from .drawing import Cause, draw, material, newest_policy, rules_of
from .locking import hold_policy


def checked(said: Mapping[str, Any]) -> Rules:
    """Read rules that somebody gave. Raises InvalidInput by field."""
    try:
        return rules_from(said)
    except BadRules as error:
        words = {
            "unknown": _("There is no such rule."),
            "type": _("This is no value for it."),
            "low": _("That is too little."),
            "high": _("That is too much."),
        }
        raise InvalidInput({error.field: words[error.why]}) from error


@transaction.atomic
def save_policy(
    *, run: CourseRun, said: Mapping[str, Any], reason: str, seen_version: int, actor: User | None, now: datetime
) -> Policy:
    """Make the next version of a run's policy and draw every verdict of it anew.

    Raises InvalidInput, and Conflict where another version was made since the editor read `seen_version` (0: none).
    """
    rules = checked(said)
    hold_policy(run.pk, is_change=True)
    before = newest_policy(run.pk)
    if (before.version if before else 0) != seen_version:
        raise Conflict(_("Somebody changed the policy meanwhile. Look at it again."), code="changed_meanwhile")
    if before is not None and rules_of(before) == rules:
        return before
    made = Policy.objects.create(
        run=run, version=seen_version + 1, rules=as_json(rules), reason=reason.strip()[:300], made_by=actor, made_at=now
    )
    old = as_json(rules_of(before))
    audit.record(
        actor=actor, verb="attendance.policy_changed", target=made, reason=reason.strip(),
        scope_path=_scope_path(run), changes={name: (old[name], value) for name, value in as_json(rules).items()},
    )  # fmt: skip
    pairs, sessions = _drawn(run)
    draw(pairs, sessions, policy=made, cause=Cause.POLICY, by_id=actor.pk if actor else None, now=now)
    return made


@dataclass(frozen=True)
class Change:
    """A verdict that would change."""

    session: ClassSession
    enrolment_id: int
    before: str
    after: str


@dataclass(frozen=True)
class Preview:
    """What a policy would change: each verdict, and how many from which mark to which."""

    changes: Sequence[Change]
    drawn: int

    @property
    def moves(self) -> list[tuple[str, str, int]]:
        counted = Counter((one.before, one.after) for one in self.changes)
        return [(before, after, count) for (before, after), count in counted.most_common()]


def preview_policy(*, run: CourseRun, said: Mapping[str, Any], now: datetime) -> Preview:
    """Draw every verdict of a run by other rules without writing any. Five queries. Raises InvalidInput."""
    rules = checked(said)
    pairs, sessions = _drawn(run)
    found = material({s for s, _e in pairs}, {e for _s, e in pairs}, rules)
    changes = []
    for (session_id, enrolment_id), before in pairs.items():
        after = found.verdict(sessions[session_id], enrolment_id, rules, now).mark.value
        if after != before:
            changes.append(Change(sessions[session_id], enrolment_id, before, after))
    return Preview(changes, len(pairs))


def _drawn(run: CourseRun) -> tuple[dict[tuple[int, int], str], dict[int, ClassSession]]:
    """The marks that were drawn in a run's classes that are not cancelled, and those classes."""
    sessions = {row.pk: row for row in ClassSession.objects.filter(run=run, state=ClassSession.State.PLANNED)}
    rows = Verdict.objects.filter(session__in=sessions).exclude(mark=Mark.NONE)
    return {(s, e): mark for s, e, mark in rows.values_list("session_id", "enrolment_id", "mark")}, sessions


def _scope_path(run: CourseRun) -> list[int]:
    """Everybody who administers one of its cohorts may read it."""
    return sorted({scope for path in run.cohorts.values_list("scope__path", flat=True) for scope in path})
