"""The rules alone: who pays for a job, what an ended grant gives back, what is lent, capped, and changed at once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.quota.domain.allocation import Refusal, Standing
from labs.quota.domain.batches import Node, Refused, Wanted, judge_all
from labs.quota.domain.caps import Span, judge, window_of
from labs.quota.domain.charging import charge_s, cost_s
from labs.quota.domain.grants import CarryOver, Closing, Source, close, draw, most_added_s, moved, returnable_s
from labs.quota.domain.lending import Offer, lendable_s, most_offered_s, share_out, spent_s, to_repay_s

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
seconds = st.integers(0, 5000)


def source(grant_id: int, left_s: int, *, level: int = 2, days: int = 10, sponsored: bool = False) -> Source:
    return Source(grant_id, level, sponsored, NOW + timedelta(days=days), left_s)


sources = st.lists(
    st.builds(
        source, st.integers(1, 99), seconds, level=st.integers(0, 3), days=st.integers(1, 5), sponsored=st.booleans()
    ),
    max_size=6,
    unique_by=lambda s: s.grant_id,
)


@pytest.mark.parametrize(
    ("wanted_s", "offered", "drawn"),
    [
        (100, [], {}),
        # A sponsor first, though the account's own ends sooner; of two sponsors the one that ends first.
        (100, [source(1, 500, days=1), source(2, 60, sponsored=True)], {2: 60, 1: 40}),
        (100, [source(1, 80, days=9, sponsored=True), source(2, 80, days=3, sponsored=True)], {2: 80, 1: 20}),
        # Own grants are each level's own matter: a second of use is one there and one here.
        (100, [source(1, 500, level=1), source(2, 70, level=3)], {1: 100, 2: 70}),
        # A company's at the cohort (2) was new to the campus (1) too, but not to the learner (3).
        (
            100,
            [source(1, 100, level=2, sponsored=True), source(2, 500, level=1), source(3, 500, level=3)],
            {1: 100, 3: 100},
        ),
        (100, [source(1, 100, level=1, sponsored=True), source(2, 500, level=2)], {1: 100, 2: 100}),
        (100, [source(1, 30, level=1), source(2, 90, level=1, days=5)], {2: 90, 1: 10}),
    ],
)
def test_who_pays_for_a_job(wanted_s: int, offered: list[Source], drawn: dict[int, int]) -> None:
    assert draw(wanted_s, offered) == drawn


@given(sources, seconds, seconds)
def test_a_smaller_charge_draws_a_part_of_what_the_larger_drew(found: list[Source], one: int, other: int) -> None:
    small, large = sorted((one, other))
    less, more = draw(small, found), draw(large, found)
    assert all(less[key] <= more[key] for key in less)
    # And what a charge draws from the hold's draws is what it would have drawn alone.
    held = [Source(s.grant_id, s.level, s.is_sponsored, s.ends_at, more.get(s.grant_id, 0)) for s in found]
    assert draw(small, held) == less


@given(sources, seconds)
def test_no_second_is_paid_twice_on_any_level_and_no_grant_pays_more_than_it_has(
    found: list[Source], wanted_s: int
) -> None:
    drawn = draw(wanted_s, found)
    by_id = {s.grant_id: s for s in found}
    assert all(0 < part <= by_id[key].left_s for key, part in drawn.items())
    sponsored = {key: part for key, part in drawn.items() if by_id[key].is_sponsored}
    assert sum(sponsored.values()) == min(wanted_s, sum(s.left_s for s in found if s.is_sponsored))
    for level in range(4):
        own = sum(part for key, part in drawn.items() if by_id[key].level == level and not by_id[key].is_sponsored)
        new_here = sum(part for key, part in sponsored.items() if by_id[key].level >= level)
        assert own + new_here <= wanted_s


def test_what_moves_between_two_draws() -> None:
    assert moved({1: 5, 2: 3}, {1: 5, 3: 4}) == {2: -3, 3: 4}


@pytest.mark.parametrize(
    ("rule", "carried_s", "returned_s", "closing"),
    [
        (CarryOver(), 0, 0, Closing(0, 100)),
        (CarryOver(30), 0, 0, Closing(30, 70)),
        (CarryOver(100, 40), 0, 0, Closing(40, 60)),
        (CarryOver(50), 25, 75, Closing(75, 25)),  # half of the 200 that were unused in all
        (CarryOver(100, 40), 40, 10, Closing(0, 100)),
    ],
)
def test_what_is_carried_over_and_what_is_due(
    rule: CarryOver, carried_s: int, returned_s: int, closing: Closing
) -> None:
    assert close(left_s=100, carried_s=carried_s, returned_s=returned_s, rule=rule) == closing


@given(st.lists(seconds, min_size=1, max_size=6), st.integers(0, 100), st.none() | seconds)
def test_expiry_loses_no_second_however_late_its_holds_come_free(parts: list[int], pct: int, most: int | None) -> None:
    carried_s = returned_s = 0
    for left_s in parts:
        closing = close(left_s=left_s, carried_s=carried_s, returned_s=returned_s, rule=CarryOver(pct, most))
        assert min(closing.carry_s, closing.due_s) >= 0
        assert closing.carry_s + closing.due_s == left_s
        carried_s, returned_s = carried_s + closing.carry_s, returned_s + closing.due_s
    whole = sum(parts) * pct // 100
    assert carried_s == (whole if most is None else min(whole, most))


standings = st.builds(
    lambda allocated, used, held, granted, pct: Standing(
        allocated, int(allocated * used), int((allocated - int(allocated * used)) * held),
        int(allocated * pct // 100 * granted), pct,
    ),
    seconds, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(1, 300),
)  # fmt: skip


def holds(standing: Standing) -> bool:
    """What the database's constraints demand."""
    return (
        standing.allocated_s >= standing.used_s + standing.held_s
        and standing.granted_s <= standing.allocated_s * standing.overcommit_pct // 100
    )


@given(standings, st.lists(standings, max_size=3), seconds)
def test_what_is_given_back_keeps_every_constraint_on_every_level(
    account: Standing, above: list[Standing], due_s: int
) -> None:
    back = returnable_s(due_s, account, 0, above)
    assert 0 <= back <= due_s
    assert holds(Standing(account.allocated_s - back, account.used_s, account.held_s, account.granted_s,
                          account.overcommit_pct))  # fmt: skip
    for level in above:
        after = Standing(
            level.allocated_s - back, level.used_s, level.held_s, max(0, level.granted_s - back), level.overcommit_pct
        )
        assert holds(after)


@given(st.lists(standings, max_size=3), seconds)
def test_what_a_sponsor_adds_keeps_every_constraint_above(above: list[Standing], wanted_s: int) -> None:
    added = min(wanted_s, most_added_s(above))
    for level in above:
        after = Standing(level.allocated_s + added, level.used_s, level.held_s, level.granted_s + added,
                         level.overcommit_pct)  # fmt: skip
        assert holds(after)


def test_only_what_is_nobodys_is_lent() -> None:
    assert lendable_s(Standing(1000, used_s=200, held_s=100)) == 700
    assert lendable_s(Standing(1000, used_s=200, held_s=100, dated_s=500)) == 200
    assert lendable_s(Standing(1000, used_s=200, granted_s=900)) == 100
    assert lendable_s(Standing(1000, used_s=200, granted_s=900, dated_s=60)) == 40
    assert lendable_s(Standing(1000, used_s=200, granted_s=900, overcommit_pct=200)) == 550


@given(
    st.lists(st.tuples(st.integers(1, 3), seconds), max_size=5),
    st.dictionaries(st.integers(1, 3), seconds),
    seconds,
)
def test_a_loan_is_made_up_whole_or_not_at_all(
    offered: list[tuple[int, int]], lendable: dict[int, int], wanted_s: int
) -> None:
    offers = [Offer(number, lender, room) for number, (lender, room) in enumerate(offered)]
    shares = share_out(wanted_s, offers, lendable)
    assert sum(part for _id, part in shares) == (wanted_s if wanted_s <= most_offered_s(offers, lendable) else 0)
    lent: dict[int, int] = {}
    for number, part in shares:
        assert 0 < part <= offers[number].room_s
        lent[offers[number].lender_id] = lent.get(offers[number].lender_id, 0) + part
    assert all(part <= lendable[lender] for lender, part in lent.items())


def test_what_comes_back_and_what_is_spent() -> None:
    assert to_repay_s(free_s=50, dated_s=0, borrowed_s=30) == 30
    assert to_repay_s(free_s=50, dated_s=40, borrowed_s=30) == 10
    assert to_repay_s(free_s=0, dated_s=0, borrowed_s=30) == 0
    assert spent_s(allocated_s=130, borrowed_s=30, used_s=110) == 10
    assert spent_s(allocated_s=130, borrowed_s=30, used_s=90) == 0


SEOUL = ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize(
    ("now", "day", "week"),
    [
        # 23:59 on Sunday the 22nd in Seoul, and a minute later.
        (datetime(2026, 11, 22, 14, 59, tzinfo=UTC), (22, 23), (16, 23)),
        (datetime(2026, 11, 22, 15, 0, tzinfo=UTC), (23, 24), (23, 30)),
    ],
)
def test_a_day_and_a_week_are_the_campuss_own(now: datetime, day: tuple[int, int], week: tuple[int, int]) -> None:
    for span, (first, renews) in ((Span.DAY, day), (Span.WEEK, week)):
        window = window_of(span, now, SEOUL)
        assert (window.first.day, window.renews_at) == (first, datetime(2026, 11, renews, tzinfo=SEOUL))
        assert window.renews_at > now


@pytest.mark.parametrize(
    ("cap_s", "used_s", "held_s", "wanted_s", "left_s"),
    [(None, 9, 9, 9, None), (100, 40, 30, 30, None), (100, 40, 30, 31, 30), (100, -50, 100, 1, 0), (0, 0, 0, 1, 0)],
)
def test_a_cap_counts_use_and_holds(cap_s: int | None, used_s: int, held_s: int, wanted_s: int, left_s: int) -> None:
    over = judge(window_of(Span.DAY, NOW, SEOUL), cap_s, used_s=used_s, held_s=held_s, wanted_s=wanted_s)
    assert (over.left_s if over else None) == left_s


@pytest.mark.parametrize(("rate", "cost"), [("1", 100), ("2.5", 250), ("0.333", 34), ("0.001", 1)])
def test_a_rate_makes_seconds_of_account_rounded_up(rate: str, cost: int) -> None:
    assert cost_s(gpu_seconds=100, rate=Decimal(rate)) == cost
    assert charge_s(run_s=100.0, gpus=1, hold_s=10**6, rate=Decimal(rate)) == cost
    assert charge_s(run_s=200.0, gpus=1, hold_s=cost, rate=Decimal(rate)) == cost


TREE = {
    1: Node(Standing(1000, granted_s=900), None),
    2: Node(Standing(500, used_s=100, held_s=50, granted_s=300), 1),
    3: Node(Standing(400), 1),
}


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        ({2: Wanted(-100), 3: Wanted(100)}, {}),
        ({2: Wanted(-100), 3: Wanted(200)}, {}),
        ({2: Wanted(-100), 3: Wanted(201)}, {3: Refused(Refusal.PARENT_SHORT, 200)}),
        ({2: Wanted(-201)}, {2: Refused(Refusal.BELOW_GRANTS, -200)}),
        ({2: Wanted(-351)}, {2: Refused(Refusal.BELOW_USE, -200)}),
        ({2: Wanted(-300, 200)}, {}),
        ({2: Wanted(0, 50)}, {2: Refused(Refusal.BELOW_GRANTS, 0)}),
        # The whole tree moves down at once: no order of single steps could do it.
        ({1: Wanted(-500), 2: Wanted(-200), 3: Wanted(-200)}, {}),
        ({1: Wanted(-500), 2: Wanted(-200)}, {1: Refused(Refusal.BELOW_GRANTS, -300)}),
    ],
)
def test_changes_are_judged_by_what_stands_when_all_are_made(
    wanted: dict[int, Wanted], refused: dict[int, Refused]
) -> None:
    assert judge_all(TREE, wanted).refused == refused


@given(
    st.dictionaries(
        st.integers(1, 3), st.builds(Wanted, st.integers(-900, 900), st.none() | st.integers(1, 300)), max_size=3
    )
)
def test_what_is_accepted_together_keeps_every_constraint(wanted: dict[int, Wanted]) -> None:
    judged = judge_all(TREE, wanted)
    if not judged.refused:
        assert all(holds(after) for after in judged.after.values())
        assert judged.after[1].granted_s == judged.after[2].allocated_s + judged.after[3].allocated_s
