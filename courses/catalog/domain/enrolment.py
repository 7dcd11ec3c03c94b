"""When a person may enrol by themselves, and what a roster's row would do to a cohort."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .roster import ONSITE, RosterError, RosterRow

MOST_OVERCOMMIT_PCT = 1_000


class Window(StrEnum):
    """Whether people may enrol themselves now."""

    CLOSED = "closed"  # staff enrol
    NOT_YET = "not_yet"
    OPEN = "open"
    OVER = "over"


def window(opens_at: datetime | None, closes_at: datetime | None, now: datetime) -> Window:
    """Without an opening time people do not enrol themselves; without a closing time it stays open."""
    if opens_at is None:
        return Window.CLOSED
    if now < opens_at:
        return Window.NOT_YET
    if closes_at is not None and now >= closes_at:
        return Window.OVER
    return Window.OPEN


def overcommit_pct(*, seats: int, learner_quota_s: int, quota_s: int) -> int:
    """Percent that a cohort may grant of its own GPU-seconds, so that every seat gets its learner's share.

    Learners' shares are caps, the cohort's allocation is the real bound; from 100 to 1000.
    """
    if quota_s <= 0:
        return 100
    return min(MOST_OVERCOMMIT_PCT, max(100, -(-seats * learner_quota_s * 100 // quota_s)))


class Effect(StrEnum):
    """What importing a row does."""

    CREATE = "create"  # a new person, invited and enrolled
    ENROL = "enrol"  # a person we know
    RETURN = "return"  # had withdrawn
    CHANGE_MODE = "change_mode"
    KEEP = "keep"  # is enrolled just so


@dataclass(frozen=True)
class KnownPerson:
    """What we know of somebody the file names. `state` and `mode` are their enrolment's here, empty if none."""

    user_id: int
    name: str
    is_active: bool = True
    state: str = ""
    mode: str = ""
    other_cohort: str = ""  # where they are enrolled in the same run


@dataclass(frozen=True)
class PlannedRow:
    """A row and its effect. `kept_name` is the name on record where the file has another."""

    row: RosterRow
    effect: Effect
    mode: str
    user_id: int | None = None
    kept_name: str = ""


@dataclass(frozen=True)
class ImportPlan:
    """What an import would do, and what it refuses."""

    rows: tuple[PlannedRow, ...]
    errors: tuple[RosterError, ...]
    seats_needed: int
    seats_left: int

    @property
    def changing(self) -> tuple[PlannedRow, ...]:
        return tuple(planned for planned in self.rows if planned.effect is not Effect.KEEP)

    def count(self, effect: Effect) -> int:
        """How many rows have this effect."""
        return sum(planned.effect is effect for planned in self.rows)

    @property
    def is_short_of_seats(self) -> bool:
        return self.seats_needed > self.seats_left


def plan_import(
    rows: Sequence[RosterRow],
    errors: Sequence[RosterError],
    *,
    people: Mapping[str, KnownPerson],
    number_owners: Mapping[str, str],
    seats_left: int,
) -> ImportPlan:
    """Say what each row would do. `people` is by e-mail, `number_owners` maps a member number to its e-mail."""
    planned: list[PlannedRow] = []
    refused: list[RosterError] = list(errors)
    for row in rows:
        person = people.get(row.email)
        problem = _refusal(row, person, number_owners)
        if problem:
            refused.append(problem)
        else:
            planned.append(_planned(row, person))
    needed = sum(p.effect in (Effect.CREATE, Effect.ENROL, Effect.RETURN) for p in planned)
    refused.sort(key=lambda error: error.line or 0)
    return ImportPlan(tuple(planned), tuple(refused), needed, seats_left)


def _refusal(row: RosterRow, person: KnownPerson | None, number_owners: Mapping[str, str]) -> RosterError | None:
    owner = number_owners.get(row.number) if row.number else None
    if owner is not None and owner != row.email:
        return RosterError("number_of_another", row.line, "number", {"value": row.number})
    if person is None:
        return None
    if not person.is_active:
        return RosterError("person_closed", row.line, "email", {"value": row.email})
    if person.other_cohort:
        return RosterError("in_other_cohort", row.line, "email", {"value": row.email, "cohort": person.other_cohort})
    if person.state == "COMPLETED":
        return RosterError("completed", row.line, "email", {"value": row.email})
    return None


def _planned(row: RosterRow, person: KnownPerson | None) -> PlannedRow:
    if person is None:
        return PlannedRow(row, Effect.CREATE, row.mode or ONSITE)
    mode = row.mode or person.mode or ONSITE
    if person.state == "ACTIVE":
        effect = Effect.KEEP if mode == person.mode else Effect.CHANGE_MODE
    else:
        effect = Effect.RETURN if person.state else Effect.ENROL
    return PlannedRow(row, effect, mode, person.user_id, person.name if person.name != row.name else "")
