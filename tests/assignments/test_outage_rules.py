"""The rule that turns lost runs and long waits into hours, as a table and as properties."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.assignments.domain.outages import Policy, Trouble, offer

DUE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
AFTER = DUE + timedelta(hours=2)
POLICY = Policy(look_back_h=24, least_wait_min=60, most_h=12)


def trouble(begin_h: float, end_h: float | None, *, loss: bool = False, key: str = "", held_back_s: int = 0) -> Trouble:
    """From and until so many hours before the deadline."""
    from_at, until_at = (None if h is None else DUE - timedelta(hours=h) for h in (begin_h, end_h))
    assert from_at is not None
    return Trouble(key or f"{begin_h}:{end_h}:{loss}", loss, from_at, until_at, held_back_s)


@pytest.mark.parametrize(
    ("troubles", "hours"),
    [
        ([], 0),
        ([trouble(5, 4.9, loss=True)], 1),  # a loss counts however short, and is rounded up
        ([trouble(5, 4.5)], 0),  # a wait below the least does not
        ([trouble(5, 3.5)], 2),
        ([trouble(8, 3, held_back_s=4 * 3600)], 1),  # four of the five hours were the learner's own cap
        ([trouble(8, 3, held_back_s=5 * 3600)], 0),
        ([trouble(6, 4, loss=True), trouble(5, 3)], 3),  # what overlaps counts once
        ([trouble(40, 30, loss=True)], 0),  # over before the window
        ([trouble(25, 23, loss=True)], 1),  # only what lies in the window
        ([trouble(2, -5, loss=True)], 2),  # and nothing after the deadline
        ([trouble(3, None)], 3),  # it waits still
        ([trouble(-0.5, -2, loss=True)], 0),  # begun after the deadline
        ([trouble(24, 0, loss=True)], 12),  # never more than the policy's most
    ],
)
def test_hours_that_are_offered(troubles: list[Trouble], hours: int) -> None:
    made = offer(troubles, DUE, AFTER, POLICY)
    assert (made.hours if made else 0) == hours


def test_evidence_that_was_answered_counts_never_again() -> None:
    old, new = trouble(9, 7, loss=True, key="old"), trouble(4, 3, loss=True, key="new")
    made = offer([old, new], DUE, AFTER, POLICY, used={"old"})
    assert made is not None
    assert (made.hours, made.keys) == (1, ("new",))
    assert offer([old], DUE, AFTER, POLICY, used={"old"}) is None


def test_a_policy_of_no_hours_offers_nothing() -> None:
    assert offer([trouble(9, 7, loss=True)], DUE, AFTER, Policy(most_h=0)) is None


spans = st.builds(
    lambda begin, length, loss, held, n: Trouble(
        f"{n}", loss, DUE - timedelta(minutes=begin), DUE - timedelta(minutes=begin - length), held
    ),
    st.integers(-600, 3000), st.integers(0, 3000), st.booleans(), st.integers(0, 20_000), st.integers(0, 10_000),
)  # fmt: skip


@given(st.lists(spans, max_size=8), spans)
def test_more_trouble_never_gives_less_and_never_more_than_the_policy(troubles: list[Trouble], more: Trouble) -> None:
    before, after = (offer(given, DUE, AFTER, POLICY) for given in (troubles, [*troubles, more]))
    few, many = (made.hours if made else 0 for made in (before, after))
    assert few <= many <= POLICY.most_h
    if after is not None:
        assert after.hours == min(-(-after.lost_s // 3600), POLICY.most_h)
        assert DUE - timedelta(hours=POLICY.look_back_h) <= after.from_at < after.until_at <= DUE
        assert after.lost_s <= (after.until_at - after.from_at).total_seconds() + 1
