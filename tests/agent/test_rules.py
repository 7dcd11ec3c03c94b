"""Leases, pacing, shares and names: the agent's small rules, by table."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.agent.domain import lease, pacing
from infra.agent.domain.gpu_types import slug_of
from infra.agent.domain.pacing import LOG, due_in_s, retry_delays_s
from infra.agent.domain.shares import MIB, Capacity, Part, fit_together, share_of, usable


@pytest.mark.parametrize(
    ("now", "is_lost"),
    [(100.0, False), (108.9, False), (109.0, True), (115.0, True)],
)
def test_a_lease_of_15_seconds_is_given_up_9_after_its_last_renewal(now: float, is_lost: bool) -> None:
    assert lease.is_lost(now, renewed_at=100.0, lease_s=15.0) is is_lost


@pytest.mark.parametrize("lease_s", [0.5, 2.0, 15.0, 60.0])
def test_a_kill_comes_well_before_the_lease_ends(lease_s: float) -> None:
    latest = lease.kill_at(0.0, lease_s) + lease.watch_every_s(lease_s)
    assert latest <= 0.7 * lease_s


@pytest.mark.parametrize("lease_s", [1.0, 4.0, 15.0, 60.0])
def test_a_run_ends_by_itself_after_the_agents_kill_and_before_the_lease(lease_s: float) -> None:
    agents_latest = lease.kill_at(0.0, lease_s) + lease.watch_every_s(lease_s)
    assert agents_latest < lease.end_at(0.0, lease_s) < lease_s


@pytest.mark.parametrize("lease_s", [0.5, 2.0, 15.0, 60.0])
def test_a_heartbeat_that_hangs_leaves_time_for_another(lease_s: float) -> None:
    assert 2 * lease.answer_within_s(lease_s) < lease.kill_at(0.0, lease_s)


@pytest.mark.parametrize(
    ("waiting", "since_last_s", "is_closing", "due_s"),
    [
        (0, None, False, None),
        (0, 9.0, True, None),
        (1, None, False, 0.0),  # the first bytes go at once
        (1, 0.01, False, 0.04),
        (1, 0.05, False, 0.0),
        (1, 7.0, False, 0.0),
        (64 * 1024, 0.0, False, 0.0),  # enough has gathered
        (1, 0.0, True, 0.0),  # nothing more will come
    ],
)
def test_log_posts_are_paced(waiting: int, since_last_s: float | None, is_closing: bool, due_s: float | None) -> None:
    due = due_in_s(LOG, waiting=waiting, since_last_s=since_last_s, is_closing=is_closing)
    assert due == (None if due_s is None else pytest.approx(due_s))


def test_retries_slow_down_to_two_seconds() -> None:
    assert list(islice(retry_delays_s(), 7)) == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_a_post_carries_what_the_campus_takes() -> None:
    assert pacing.LOG.most == 256 * 1024


@pytest.mark.parametrize(
    ("cpus", "memory_mib", "left_cpus", "left_mib"),
    [
        (2.0, 2048, 1.9, 1792),
        (16.0, 128 * 1024, 15.2, 128 * 1024 - 8 * 1024),
        (192.0, 2048 * 1024, 190.0, 2048 * 1024 - 8 * 1024),
        (0.1, 300, 0.05, 150),  # never more than half
    ],
)
def test_the_node_keeps_a_reserve(cpus: float, memory_mib: int, left_cpus: float, left_mib: int) -> None:
    left = usable(Capacity(cpus, memory_mib, 1))
    assert (left.cpus, left.memory_mib) == (pytest.approx(left_cpus), left_mib)


@pytest.mark.parametrize("gpus", range(1, 9))
def test_shares_are_equal_and_never_add_up_to_more_than_there_is(gpus: int) -> None:
    capacity = Capacity(96.0, 1024 * 1024, 8)
    share, single = share_of(capacity, gpus), share_of(capacity, 1)
    assert share.cpu_cores == pytest.approx(gpus * single.cpu_cores, abs=0.01)
    assert share.memory_bytes * 8 // gpus <= usable(capacity).memory_mib * MIB
    assert share.work_bytes <= share.memory_bytes


@pytest.mark.parametrize("gpus", [0, 3, -1])
def test_no_share_without_the_gpus(gpus: int) -> None:
    with pytest.raises(ValueError, match=f"{gpus} of 2"):
        share_of(Capacity(2.0, 2048, 2), gpus)


@given(st.lists(st.integers(1, 8), min_size=1, max_size=8), st.integers(1, 8))
def test_parts_of_one_gpu_never_add_up_to_more_than_a_whole_ones_share(eighths: list[int], gpus: int) -> None:
    capacity = Capacity(96.0, 1024 * 1024, gpus)
    parts = [Part(125 * count, 1_000 * count) for count in eighths]
    assert fit_together(parts, gpu_memory_mib=8_000) == (sum(eighths) <= 8)
    if sum(eighths) <= 8:
        whole = share_of(capacity, 1)
        shares = [share_of(capacity, 1, milli=part.milli) for part in parts]
        assert sum(share.cpu_cores for share in shares) <= whole.cpu_cores + 0.001 * len(shares)
        assert sum(share.memory_bytes for share in shares) <= whole.memory_bytes


def test_parts_that_ask_for_too_much_memory_together_wait_for_each_other() -> None:
    assert not fit_together([Part(250, 50_000), Part(250, 40_000)], gpu_memory_mib=80_000)
    assert fit_together([Part(250, 50_000), Part(250, 30_000)], gpu_memory_mib=80_000)
    assert fit_together([Part()], gpu_memory_mib=0)
    assert not fit_together([Part(), Part(125, 0)], gpu_memory_mib=80_000)


def test_memory_that_was_given_is_what_a_part_gets() -> None:
    capacity = Capacity(2.0, 2048, 1)
    assert share_of(capacity, 1, milli=250, memory_mib=900).memory_bytes == 900 * MIB
    assert share_of(capacity, 1, milli=250).memory_bytes == 448 * MIB


@pytest.mark.parametrize(("gpus", "milli"), [(1, 0), (1, 1_001), (2, 500)])
def test_no_part_of_several_gpus_or_of_more_than_one(gpus: int, milli: int) -> None:
    with pytest.raises(ValueError, match="thousandths"):
        share_of(Capacity(2.0, 2048, 2), gpus, milli=milli)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("NVIDIA H100 80GB HBM3", "nvidia-h100"),
        ("NVIDIA H100 PCIe", "nvidia-h100"),
        ("NVIDIA H200", "nvidia-h200"),
        ("NVIDIA A100-SXM4-40GB", "nvidia-a100"),
        ("Tesla V100-SXM2-16GB", "nvidia-tesla-v100"),
        ("NVIDIA GeForce RTX 4090", "nvidia-geforce-rtx-4090"),
        ("NVIDIA RTX 6000 Ada Generation", "nvidia-rtx-6000"),
        ("NVIDIA B200", "nvidia-b200"),
        ("", "nvidia-gpu"),
        ("NVIDIA Graphics", "nvidia-gpu"),
    ],
)
def test_a_gpu_type_is_what_a_lab_would_ask_for(name: str, slug: str) -> None:
    assert slug_of(name) == slug
