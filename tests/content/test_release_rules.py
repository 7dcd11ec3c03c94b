"""When a module opens, and rings of needs: by table and by property, without a database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.content.domain.release import Finished, Lock, Reason, ReleaseRule, locks, ring

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
FIRST = ReleaseRule(1, "첫 주")


@pytest.mark.parametrize(
    ("rule", "finished", "expected"),
    [
        (ReleaseRule(2), {}, ()),
        (ReleaseRule(2, opens_at=NOW), {}, ()),
        (ReleaseRule(2, opens_at=LATER), {}, (Lock(Reason.OPENS_LATER, opens_at=LATER),)),
        (ReleaseRule(2, needs=(1,)), {1: Finished(3, 3)}, ()),
        (ReleaseRule(2, needs=(1,)), {1: Finished(1, 3)}, (Lock(Reason.NEEDS_ANOTHER, None, 1, "첫 주", 2),)),
        (ReleaseRule(2, needs=(1,)), {1: Finished(0, 0)}, ()),
        (ReleaseRule(2, needs=(1,)), {1: Finished(1, 3), 2: Finished(1, 4)}, ()),
        (ReleaseRule(2, opens_at=LATER, needs=(1,)), {1: Finished(3, 3), 2: Finished(1, 4)},
         (Lock(Reason.OPENS_LATER, opens_at=LATER),)),
        (ReleaseRule(2, needs=(9,)), {}, ()),
    ],
    ids=["free", "its time came", "too early", "finished", "two left", "an empty one", "begun stays open",
         "before its time also if begun", "one that is gone"],
)  # fmt: skip
def test_a_module_opens_when_every_reason_to_wait_is_over(rule, finished, expected):
    assert locks([FIRST, rule], finished, NOW).get(2, ()) == expected


def test_a_hidden_module_holds_nobody_up():
    hidden = ReleaseRule(1, "숨김", is_published=False)
    assert locks([hidden, ReleaseRule(2, needs=(1,))], {1: Finished(0, 5)}, NOW) == {}


@given(st.dictionaries(st.integers(1, 8), st.sets(st.integers(1, 8), max_size=4), max_size=8))
def test_a_ring_is_found_exactly_where_no_order_serves_all(needs):
    found = ring(needs)
    left = {one: set(others) & needs.keys() for one, others in needs.items()}
    while free := [one for one, others in left.items() if not others]:  # Kahn: take what waits for nobody
        for one in free:
            del left[one]
        left = {one: others - set(free) for one, others in left.items()}
    assert bool(found) == bool(left)
    for one, following in zip(found, (*found[1:], *found[:1]), strict=True):
        assert following in needs[one]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=4),
    st.sets(st.sampled_from([(2, 1), (3, 1), (3, 2), (4, 3)])),
    st.integers(0, 3),
)
def test_finishing_more_never_closes_anything(parts, edges, which):
    rules = [ReleaseRule(pk, needs=tuple(to for one, to in sorted(edges) if one == pk)) for pk in range(1, 5)]
    far = {pk: Finished(min(done, total), total) for pk, (done, total) in enumerate(parts, start=1)}
    one = far[which + 1]
    more = far | {which + 1: Finished(min(one.done + 1, one.total), one.total)}
    assert locks(rules, more, NOW).keys() <= locks(rules, far, NOW).keys()
