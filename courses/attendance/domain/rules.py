"""A course run's attendance policy as values: what it may say, read from JSON and written back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


class BadRules(ValueError):
    """A policy that cannot be. `field` is the rule, `why` one of: unknown, type, low, high, order."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field, self.why = field, why


@dataclass(frozen=True, slots=True)
class Rules:
    """Minutes are whole minutes of the class's own time; `_pct` are whole percent.

    `fail_pct`: reaching this share of the term's classes in absences fails the course. `lates_per_absence` 0: lates
    never become absences.
    """

    opens_min: int = 15
    late_after_min: int = 10
    leave_early_min: int = 10
    least_present_pct: int = 50
    needs_check_out: bool = False
    early_counts_as_late: bool = True
    lab_counts: bool = True
    lates_per_absence: int = 3
    fail_pct: int = 25


#: The least and the most of each number.
BOUNDS: dict[str, tuple[int, int]] = {
    "opens_min": (0, 120),
    "late_after_min": (0, 240),
    "leave_early_min": (0, 240),
    "least_present_pct": (0, 100),
    "lates_per_absence": (0, 20),
    "fail_pct": (1, 100),
}


def rules_from(said: Mapping[str, Any]) -> Rules:
    """Read a policy; a rule that is left out is the house's. Raises BadRules for the first that cannot be."""
    known = {field.name: field.type for field in fields(Rules)}
    for name, value in said.items():
        if name not in known:
            raise BadRules(name, "unknown")
        if name not in BOUNDS:
            if not isinstance(value, bool):
                raise BadRules(name, "type")
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadRules(name, "type")
        least, most = BOUNDS[name]
        if not least <= value <= most:
            raise BadRules(name, "low" if value < least else "high")
    return Rules(**said)


def as_json(rules: Rules) -> dict[str, int | bool]:
    """Every rule by its name, as it is stored."""
    return asdict(rules)
