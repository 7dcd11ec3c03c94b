"""Drawing verdicts: evidence, excuses and policy in, verdicts with history out; in bulk, in few queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from campus.core.compiled import AnyOf, Compiled, Given
from courses.attendance.domain.rules import Rules, as_json, rules_from
from courses.attendance.domain.verdict import Act, Judged, Mark, Meeting, Sign, judge
from courses.attendance.live import tell_board
from courses.attendance.models import Evidence, Excuse, LabConsent, Policy, Verdict, VerdictHistory
from courses.catalog.models import Enrolment
from courses.timetable.models import ClassSession, SessionCohort

from .locking import lock_verdicts

Pair = tuple[int, int]
Cause = VerdictHistory.Cause
_SAID = ("mark", "minutes", "late_min", "early_min", "why", "arrived_at")


# What each check-in asks, by the hundred in a few minutes.
_POLICY = Compiled(lambda: Policy.objects.filter(run_id=Given("run")).order_by("-version")[:1])
_STANDING = Compiled(
    lambda: (
        Evidence.objects.filter(session_id=AnyOf("sessions"), enrolment_id=AnyOf("enrolments"), undone_by=None)
        .exclude(act=Evidence.Act.UNDO)
        .order_by("pk")
        .values_list("session_id", "enrolment_id", "kind", "pk", "act", "at", "until", "mark")
    )
)
_EXCUSED = Compiled(
    lambda: Excuse.objects.filter(
        session_id=AnyOf("sessions"), enrolment_id=AnyOf("enrolments"), state=Excuse.State.GRANTED
    ).values_list("session_id", "enrolment_id")
)


def newest_policy(run_id: int) -> Policy | None:
    """A run's policy as it stands; None where it never had one of its own and goes by the house's rules."""
    return _POLICY.model(run=run_id)


def rules_of(policy: Policy | None) -> Rules:
    return rules_from(policy.rules) if policy is not None else Rules()


def policy_of(run_id: int) -> Policy:
    """The same for verdicts, which must name one: the house's rules become the run's first version."""
    found = newest_policy(run_id)
    if found is None:
        Policy.objects.bulk_create(
            [Policy(run_id=run_id, version=1, rules=as_json(Rules()))], ignore_conflicts=True
        )  # fmt: skip
        found = newest_policy(run_id)
    assert found is not None  # noqa: S101
    return found


def rolls(sessions: Sequence[ClassSession]) -> dict[int, list[int]]:
    """Session to the ids of the enrolments that should be there: `timetable.roll_of` for many. Two queries."""
    cohorts: dict[int, set[int]] = defaultdict(set)
    for session_id, cohort_id in SessionCohort.objects.filter(session__in=sessions).values_list("session", "cohort"):
        cohorts[session_id].add(cohort_id)
    wanted = {cohort_id for held in cohorts.values() for cohort_id in held}
    rows = Enrolment.objects.filter(cohort__in=wanted).values_list("pk", "cohort", "enrolled_at", "ended_at")
    of_cohort: dict[int, list[tuple[int, datetime, datetime | None]]] = defaultdict(list)
    for pk, cohort_id, since, until in rows.order_by("pk"):
        of_cohort[cohort_id].append((pk, since, until))
    return {
        session.pk: [
            pk
            for cohort_id in cohorts[session.pk]
            for pk, since, until in of_cohort[cohort_id]
            if since < session.ends_at and (until is None or until > session.starts_at)
        ]
        for session in sessions
        if session.takes_attendance
    }


@dataclass
class Material:
    """What verdicts are drawn from, by (session, enrolment)."""

    signs: dict[Pair, list[Sign]] = field(default_factory=dict)
    excused: Collection[Pair] = frozenset()

    def last_move(self, pair: Pair) -> Act | None:
        """Whether the learner came or went last, by time; None where they did neither."""
        moves = [sign for sign in self.signs.get(pair, ()) if sign.act in (Act.IN, Act.OUT)]
        return max(moves, key=lambda sign: (sign.at, sign.number)).act if moves else None

    def add(self, made: Evidence) -> None:
        """Take in what was written after the rest was read."""
        sign = Sign(made.pk, Act(made.act), made.at, made.until, Mark(made.mark) if made.mark else None)
        self.signs.setdefault((made.session_id, made.enrolment_id), []).append(sign)

    def verdict(self, session: ClassSession, enrolment_id: int, rules: Rules, now: datetime) -> Judged:
        pair = (session.pk, enrolment_id)
        meeting = Meeting(session.starts_at, session.ends_at)
        return judge(meeting, self.signs.get(pair, ()), rules, is_excused=pair in self.excused, now=now)


def material(session_ids: Collection[int], enrolment_ids: Collection[int], rules: Rules) -> Material:
    """Read evidence that stands and excuses that were granted. Two queries, three where there is evidence of labs."""
    here = {"sessions": list(session_ids), "enrolments": list(enrolment_ids)}
    rows = _STANDING.rows(**here)
    consenting: set[int] = set()
    if rules.lab_counts and any(kind == Evidence.Kind.LAB for _s, _e, kind, *_rest in rows):
        given = LabConsent.objects.filter(enrolment_id__in=enrolment_ids).exclude(given_at=None)
        consenting = set(given.values_list("enrolment_id", flat=True))
    signs: dict[Pair, list[Sign]] = defaultdict(list)
    for session_id, enrolment_id, kind, pk, act, at, until, mark in rows:
        if kind == Evidence.Kind.LAB and enrolment_id not in consenting:
            continue
        signs[session_id, enrolment_id].append(Sign(pk, Act(act), at, until, Mark(mark) if mark else None))
    return Material(signs, {(session_id, enrolment_id) for session_id, enrolment_id in _EXCUSED.rows(**here)})


def draw(
    pairs: Iterable[Pair],
    sessions: Mapping[int, ClassSession],
    *,
    policy: Policy,
    cause: str,
    by_id: int | None,
    now: datetime,
    held: Mapping[Pair, Verdict] | None = None,
    found: Material | None = None,
) -> list[Verdict]:
    """Draw the verdicts of these pairs anew and write those that changed, with history. Returns the changed ones.

    Call it in a transaction that holds the policy. Locks the verdicts in the order of their ids, if not `held` already,
    and reads what they are drawn from, if it was not `found` behind that lock.
    """
    held = lock_verdicts(pairs) if held is None else held
    rules = rules_of(policy)
    if found is None:
        found = material({s for s, _e in held}, {e for _s, e in held}, rules)
    changed, kept = [], []
    for (session_id, enrolment_id), row in held.items():
        said = _fields(found.verdict(sessions[session_id], enrolment_id, rules, now))
        if any(getattr(row, name) != said[name] for name in _SAID) and (row.revision or said["mark"] != Mark.NONE):
            for name in _SAID:
                setattr(row, name, said[name])
            row.policy, row.revision, row.changed_at = policy, row.revision + 1, now
            changed.append(row)
        elif row.revision and row.policy_id != policy.pk:
            kept.append(row.pk)
    _write(changed, cause=cause, by_id=by_id, now=now)
    if kept:  # what the new version leaves as it was, it confirms
        Verdict.objects.filter(pk__in=kept).update(policy=policy)
    tell_board(*{row.session_id for row in changed})
    return changed


def _fields(judged: Judged) -> dict[str, Any]:
    return {
        "mark": judged.mark.value,
        "minutes": judged.minutes,
        "late_min": judged.late_min,
        "early_min": judged.early_min,
        "why": [why.value for why in judged.why],
        "arrived_at": judged.arrived_at,
    }


def _write(changed: Sequence[Verdict], *, cause: str, by_id: int | None, now: datetime) -> None:
    names = (*_SAID, "policy", "revision")
    # They are there, and locked: this is an update, and unlike `bulk_update` it does not name each row in each field.
    Verdict.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["id"], update_fields=[*names, "changed_at"], batch_size=2000
    )
    written = {"cause": cause, "by_id": by_id, "at": now}
    VerdictHistory.objects.bulk_create(
        (VerdictHistory(verdict=row, **written, **{name: getattr(row, name) for name in names}) for row in changed),
        batch_size=2000,
    )
