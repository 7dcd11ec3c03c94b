"""GPUs as NVIDIA's library describes them, or the CPU slots that stand in for them.

No GPU was at hand: the library's answers here are those of its manual (NVML API reference), as plain values.
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.agent.domain.shares import MIB, Part
from infra.agent.inventory import Inventory, UnknownGpu
from infra.agent.nvml import Card, NoGpus, Nvml, Reading
from infra.agent.settings import Settings

GIB = 1024**3


class NvmlError(Exception):
    """As `pynvml.NVMLError`."""


def library(cards: list[dict[str, Any]], *, without: tuple[str, ...] = (), init: Exception | None = None) -> Any:
    """The functions of `pynvml` over plain values; those in `without` are not supported by this model."""

    def ask(name: str, value: Any) -> Any:
        def answer(handle: int) -> Any:
            if name in without or value is None:
                raise NvmlError("Not Supported")
            return value(cards[handle])

        return answer

    def start() -> None:
        if init:
            raise init

    return SimpleNamespace(
        NVMLError=NvmlError,
        nvmlInit=start,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: len(cards),
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetUUID=ask("uuid", lambda card: card["uuid"]),
        nvmlDeviceGetName=ask("name", lambda card: card["name"]),
        nvmlDeviceGetMinorNumber=ask("minor", lambda card: card["minor"]),
        nvmlDeviceGetMemoryInfo=ask("memory", lambda card: SimpleNamespace(total=80 * GIB, used=card["used"])),
        nvmlDeviceGetPowerManagementLimit=ask("limit", lambda _card: 700_000),
        nvmlDeviceGetPowerUsage=ask("power", lambda _card: 412_345),
        nvmlDeviceGetUtilizationRates=ask("utilisation", lambda _card: SimpleNamespace(gpu=97, memory=40)),
    )


H100 = {"uuid": "GPU-1", "name": "NVIDIA H100 80GB HBM3", "minor": 3, "used": 2 * GIB}


def settings(**more: Any) -> Settings:
    given: dict[str, Any] = {"cpus": 4.0, "memory_mib": 4096, "slots": 2} | more
    return Settings(name="yongin-01", token="t", api_url="http://campus", state=Path("unused"), **given)


@pytest.mark.parametrize(
    ("without", "card"),
    [
        ((), Card(0, "GPU-1", "NVIDIA H100 80GB HBM3", 81920, 700, "/dev/nvidia3")),
        (("limit",), Card(0, "GPU-1", "NVIDIA H100 80GB HBM3", 81920, 0, "/dev/nvidia3")),
        (("minor",), Card(0, "GPU-1", "NVIDIA H100 80GB HBM3", 81920, 700, "/dev/nvidia0")),
    ],
)
def test_a_card_is_read_whatever_its_model_leaves_out(without: tuple[str, ...], card: Card) -> None:
    assert Nvml(library([H100], without=without)).cards() == (card,)


@pytest.mark.parametrize(
    ("without", "reading"),
    [
        ((), Reading(97, 2048, 412, is_healthy=True)),
        (("power", "utilisation"), Reading(None, 2048, None, is_healthy=True)),
        (("memory",), Reading(None, None, None, is_healthy=False)),
    ],
)
def test_a_reading_says_what_is_known(without: tuple[str, ...], reading: Reading) -> None:
    assert Nvml(library([H100], without=without)).reading(0) == reading


def test_no_driver_and_no_card_are_no_gpus() -> None:
    with pytest.raises(NoGpus, match="Not Found"):
        Nvml(library([], init=NvmlError("NVML Shared Library Not Found")))
    with pytest.raises(NoGpus, match="no GPU"):
        Nvml(library([])).cards()


def test_gpus_are_reported_and_granted_by_device() -> None:
    inventory = Inventory(settings(), Nvml(library([H100, H100 | {"uuid": "GPU-2", "minor": 1}])))
    assert [(gpu.kind, gpu.gpu_type, gpu.watts) for gpu in inventory.reports] == [("NVIDIA", "nvidia-h100", 700)] * 2
    (grant,) = inventory.grants_for([(1, "GPU-2")])
    assert (grant.kind, grant.device_path) == ("nvidia", "/dev/nvidia1")


def test_agents_of_one_machine_have_each_of_its_gpus_once() -> None:
    cards = [H100 | {"uuid": f"GPU-{number}", "minor": number} for number in range(3)]
    agents = [Inventory(settings(gpu_part=(which, 2)), Nvml(library(cards))) for which in (1, 2)]
    assert [[gpu.uuid for gpu in one.reports] for one in agents] == [["GPU-0", "GPU-2"], ["GPU-1"]]
    assert [one.capacity.gpus for one in agents] == [2, 1]
    (grant,) = agents[0].grants_for([(2, "GPU-2")])
    assert grant.device_path == "/dev/nvidia2"
    with pytest.raises(UnknownGpu):
        agents[0].grants_for([(1, "GPU-1")])


def test_an_agent_to_whom_no_gpu_is_left_declares_slots_that_say_so() -> None:
    other = Inventory(settings(gpu_part=(2, 2)), Nvml(library([H100])))
    assert [gpu.kind for gpu in other.reports] == ["CPU_SLOT"] * 2
    assert other.gives_parts
    other.run(threading.Event())  # has nothing to sample: the GPU's use is not the slots'
    assert [sample.utilisation_pct for sample in other.samples] == [None, None]


def test_slots_stand_in_and_say_so() -> None:
    inventory = Inventory(settings(), None)
    assert [(gpu.kind, gpu.gpu_type, gpu.uuid) for gpu in inventory.reports] == [
        ("CPU_SLOT", "cpu-slot", "slot-yongin-01-0"),
        ("CPU_SLOT", "cpu-slot", "slot-yongin-01-1"),
    ]
    assert [sample.utilisation_pct for sample in inventory.samples] == [None, None]


@pytest.mark.parametrize(
    "wanted",
    [
        [],
        [(2, "slot-yongin-01-2")],
        [(0, "slot-jeonbuk-01-0")],
        [(0, "slot-yongin-01-0"), (0, "slot-yongin-01-0")],
    ],
)
def test_a_gpu_that_is_not_here_is_refused(wanted: list[tuple[int, str]]) -> None:
    with pytest.raises(UnknownGpu):
        Inventory(settings(), None).grants_for(wanted)


HALF = Part(500, 40_960)


def test_a_real_gpu_is_given_in_parts_only_where_the_operator_said_so() -> None:
    cards = Nvml(library([H100]))
    assert Inventory(settings(), cards).gives_parts is False
    with pytest.raises(UnknownGpu, match="no parts"):
        Inventory(settings(), cards).grants_for([(0, "GPU-1")], HALF)
    sharing = Inventory(settings(share_gpus=True), cards)
    (grant,) = sharing.grants_for([(0, "GPU-1")], HALF)
    assert sharing.gives_parts
    assert (grant.uuid, grant.milli, grant.memory_mib) == ("GPU-1", 500, 40_960)
    # The GPU's memory is not the machine's: of that it gets the same part as of the processors.
    whole_mib = sharing.share_for(sharing.grants).memory_bytes // MIB
    assert sharing.share_for([grant]).memory_bytes == whole_mib // 2 * MIB


def test_a_part_of_a_slot_has_the_memory_that_it_was_given() -> None:
    inventory = Inventory(settings(), None)
    (grant,) = inventory.grants_for([(1, "slot-yongin-01-1")], Part(500, 700))
    whole, part = inventory.share_for([inventory.grants[1]]), inventory.share_for([grant])
    assert part.memory_bytes == 700 * MIB
    assert part.cpu_cores == pytest.approx(whole.cpu_cores / 2, abs=0.001)
    with pytest.raises(UnknownGpu):
        inventory.grants_for([(0, "slot-yongin-01-0"), (1, "slot-yongin-01-1")], HALF)
