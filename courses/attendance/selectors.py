"""Reading attendance: a class's roll, a cohort's term, a learner's own, one mark with all that lies behind it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max, Q, QuerySet
from django.utils.safestring import SafeString, mark_safe

from courses.catalog.models import Cohort, Enrolment
from courses.timetable.api import RollEntry, roll_of
from courses.timetable.models import ClassSession, Kind

from . import words
from .access import RollAccess
from .domain.rules import Rules
from .domain.standing import Standing
from .models import Contest, Evidence, Excuse, Flag, Mark, Station, Verdict, VerdictHistory
from .standings import newest_rules, standings
from .today import OPENS_BEFORE

NOT_JUDGED = Verdict(mark=Mark.NONE, revision=0)


@dataclass(frozen=True)
class RollRow:
    """A learner on the roll of a class, with the verdict as it stands, how they were seen, and open flags."""

    entry: RollEntry
    verdict: Verdict
    how: str = ""
    flags: int = 0

    @property
    def enrolment(self) -> Enrolment:
        return self.entry.enrolment

    @property
    def arrived(self) -> str:
        return words.clock(self.verdict.arrived_at) if self.verdict.arrived_at else ""


@dataclass(frozen=True)
class RollGroup:
    """Those who meet in one place: a room at a campus, or the stream."""

    title: str
    meta: str
    rows: list[RollRow] = field(default_factory=list)

    @property
    def here(self) -> int:
        return sum(row.verdict.mark in HERE for row in self.rows)


HERE = (Mark.PRESENT, Mark.LATE, Mark.LEFT_EARLY)


def roll(access: RollAccess, online: str) -> list[RollGroup]:
    """The roll of a class by place, for the cohorts that the reader may see. Five queries."""
    visible = set(access.cohort_ids)
    entries = [entry for entry in roll_of(access.session) if entry.enrolment.cohort_id in visible]
    facts = roll_facts(access.session.pk)
    groups: dict[tuple[int, int], RollGroup] = {}
    for entry in entries:
        room = None if entry.is_online else entry.place.room
        key = (1, entry.enrolment.cohort_id) if room is None else (0, room.pk)
        campus = entry.enrolment.cohort.name
        if key not in groups:
            groups[key] = RollGroup(online if room is None else room.name, _meta(room, campus))
        verdict, how, flags = facts.get(entry.enrolment.pk, (NOT_JUDGED, "", 0))
        groups[key].rows.append(RollRow(entry, verdict, how, flags))
    return [groups[key] for key in sorted(groups)]


def _meta(room: object, cohort: str) -> str:
    building = getattr(room, "building", None)
    return f"{building.campus.name} · {cohort}" if building is not None else cohort


def roll_facts(session_id: int) -> dict[int, tuple[Verdict, str, int]]:
    """Enrolment to verdict, kind of the last evidence that stands, and open flags. Three queries."""
    verdicts = {row.enrolment_id: row for row in Verdict.objects.filter(session_id=session_id)}
    stands = Evidence.objects.filter(session_id=session_id, undone_by=None).exclude(act=Evidence.Act.UNDO)
    last = stands.values("enrolment_id").annotate(last=Max("pk")).values("last")
    hows = dict(Evidence.objects.filter(pk__in=last).values_list("enrolment_id", "kind"))
    flagged = Flag.objects.filter(evidence__session_id=session_id, state=Flag.State.OPEN)
    flags = Counter(flagged.values_list("evidence__enrolment_id", flat=True))
    return {pk: (row, hows.get(pk, ""), flags[pk]) for pk, row in verdicts.items()}


def counts(groups: Iterable[RollGroup]) -> dict[str, int]:
    """How many have which mark, and `ALL`."""
    found = Counter(str(row.verdict.mark) for group in groups for row in group.rows)
    return {**{mark: found[mark] for mark in Mark.values}, "ALL": sum(found.values())}


def stations_of(session: ClassSession) -> list[Station]:
    """The open screens and kiosks of a class."""
    return list(session.stations.filter(closed_at=None).select_related("room__building__campus"))


# --- a cohort's term ---------------------------------------------------------------------------


@dataclass(frozen=True)
class GridRow:
    """A learner's term: the cells ready to show, and where they stand."""

    enrolment: Enrolment
    cells: SafeString
    marks: list[str]
    standing: Standing


@dataclass(frozen=True)
class Grid:
    """A cohort's term: its classes in order, a row for each learner."""

    sessions: Sequence[ClassSession]
    rows: Sequence[GridRow]
    version: int
    rules: Rules


def classes_of(cohort_ids: Sequence[int]) -> QuerySet[ClassSession]:
    """The classes of cohorts that count, in order."""
    held = ClassSession.objects.filter(places__cohort__in=cohort_ids, state=ClassSession.State.PLANNED)
    return held.exclude(kind=Kind.OFFICE).order_by("starts_at", "pk").distinct()


def grid(cohort: Cohort) -> Grid:
    """A cohort's term, whatever its size in seven queries."""
    sessions = list(classes_of([cohort.pk]))
    people = list(Enrolment.objects.select_related("user").filter(cohort=cohort, state=Enrolment.State.ACTIVE))
    found: dict[int, dict[int, tuple[str, int]]] = defaultdict(dict)
    verdicts = Verdict.objects.filter(enrolment__in=people, session__in=sessions)
    for enrolment_id, session_id, mark, revision in verdicts.values_list(
        "enrolment_id", "session_id", "mark", "revision"
    ):
        found[enrolment_id][session_id] = (mark, revision)
    stands = standings(people)
    letters = {mark: words.letter(mark) for mark in Mark.values}
    rows = []
    for person in sorted(people, key=lambda row: (row.user.name, row.pk)):
        marks = [found[person.pk].get(session.pk, (Mark.NONE.value, 0)) for session in sessions]
        cells = "".join(
            f'<td data-cell data-c="{person.pk}:{session.pk}:{revision}" class="mk mk-{mark}">{letters[mark]}</td>'
            for session, (mark, revision) in zip(sessions, marks, strict=True)
        )
        shown = mark_safe(cells)  # noqa: S308 - numbers and our own letters
        rows.append(GridRow(person, shown, [mark for mark, _revision in marks], stands[person.pk]))
    version, rules = newest_rules([cohort.run_id])[cohort.run_id]
    return Grid(sessions, rows, version, rules)


# --- a learner ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class TermClass:
    """A class in a learner's term, with the mark and why, in one sentence."""

    session: ClassSession
    verdict: Verdict
    why: str
    excuse: Excuse | None = None
    contest: Contest | None = None


@dataclass(frozen=True)
class Term:
    """A learner's term in one course."""

    enrolment: Enrolment
    standing: Standing
    classes: Sequence[TermClass]
    version: int
    rules: Rules

    #: Those that began, newest first, and those to come.
    held: Sequence[TermClass] = ()
    coming: Sequence[TermClass] = ()

    @property
    def lates(self) -> int:
        return sum(row.verdict.mark in (Mark.LATE, Mark.LEFT_EARLY) for row in self.classes)

    @property
    def sentences(self) -> list[str]:
        return words.rule_sentences(self.rules)


def terms(enrolments: Sequence[Enrolment], now: datetime) -> list[Term]:
    """The terms of these enrolments. Eight queries whatever their number."""
    sessions = list(classes_of([row.cohort_id for row in enrolments]).prefetch_related("places"))
    here = Q(enrolment__in=[row.pk for row in enrolments])
    verdicts = {(row.enrolment_id, row.session_id): row for row in Verdict.objects.filter(here)}
    excuses = {
        (row.enrolment_id, row.session_id): row
        for row in Excuse.objects.filter(here).exclude(state=Excuse.State.WITHDRAWN)
    }
    contests = {(row.enrolment_id, row.session_id): row for row in Contest.objects.filter(here)}
    rules = newest_rules(row.run_id for row in enrolments)
    stands = standings(enrolments)
    found = []
    for row in enrolments:
        version, policy = rules[row.run_id]
        classes = []
        for session in sessions:
            if all(place.cohort_id != row.cohort_id for place in session.places.all()):
                continue
            verdict = verdicts.get((row.pk, session.pk), NOT_JUDGED)
            why = words.reasons(verdict, policy, length_min(session))
            pair = (row.pk, session.pk)
            classes.append(TermClass(session, verdict, why[0] if why else "", excuses.get(pair), contests.get(pair)))
        begun = [one for one in reversed(classes) if one.session.starts_at <= now]
        coming = [one for one in classes if one.session.starts_at > now]
        found.append(Term(row, stands[row.pk], classes, version, policy, begun, coming))
    return found


def my_enrolments(user_id: int) -> list[Enrolment]:
    """The enrolments of a person in published runs, newest first."""
    mine = Enrolment.objects.select_related("user", "run__course", "run__term", "cohort__campus", "lab_consent").filter(
        user_id=user_id, state__in=[Enrolment.State.ACTIVE, Enrolment.State.COMPLETED], run__is_published=True
    )
    return list(mine.order_by("-run__term__starts_on", "run__course__code"))


def open_now(enrolments: Sequence[Enrolment], now: datetime) -> list[tuple[Enrolment, ClassSession]]:
    """Classes of these enrolments that are on or about to begin."""
    soon = classes_of([row.cohort_id for row in enrolments]).filter(starts_at__lte=now + OPENS_BEFORE, ends_at__gt=now)
    sessions = list(soon.select_related("run__course", "stream").prefetch_related("places__room"))
    return [
        (row, session)
        for session in sessions
        for row in enrolments
        if row.state == Enrolment.State.ACTIVE and any(p.cohort_id == row.cohort_id for p in session.places.all())
    ]


def length_min(session: ClassSession) -> int:
    return int((session.ends_at - session.starts_at).total_seconds() // 60)


# --- one mark ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A line of the evidence or of the history: what, when, by whom, why."""

    text: str
    at: datetime
    by: str = ""
    reason: str = ""
    is_undone: bool = False
    mark: str = ""
    more: Sequence[str] = ()


def evidence_steps(enrolment_id: int, session_id: int) -> list[Step]:
    """All evidence of a mark in the order in which it was written, undone lines too. One query."""
    rows = Evidence.objects.filter(enrolment_id=enrolment_id, session_id=session_id)
    found = []
    for row in rows.select_related("by", "station__room", "undone_by").order_by("pk"):
        text = words.evidence_text(row)
        if row.station is not None and row.station.room is not None:
            text = f"{text} · {row.station.room.name}"
        by = row.by.name if row.by is not None and row.kind == Evidence.Kind.STAFF else ""
        found.append(Step(text, row.at, by, row.reason, getattr(row, "undone_by", None) is not None, row.mark))
    return found


def history_steps(verdict: Verdict, minutes: int, rules: Rules) -> list[Step]:
    """What the verdict was, newest first, and what made it. One query."""
    rows = VerdictHistory.objects.filter(verdict=verdict).select_related("by", "policy")
    return [
        Step(
            row.get_cause_display(), row.at, row.by.name if row.by else "", mark=row.mark,
            more=words.reasons(row, rules_at(row, rules), minutes),
        )
        for row in rows.order_by("-revision")
    ]  # fmt: skip


def rules_at(row: Verdict | VerdictHistory, otherwise: Rules) -> Rules:
    """The rules by which a verdict was drawn."""
    return Rules(**row.policy.rules) if row.policy is not None else otherwise


def verdict_of(enrolment_id: int, session_id: int) -> Verdict:
    """The verdict as it stands, with its policy; one without a mark where none was drawn."""
    rows = Verdict.objects.select_related("policy").filter(enrolment_id=enrolment_id, session_id=session_id)
    return rows.first() or Verdict(enrolment_id=enrolment_id, session_id=session_id)
