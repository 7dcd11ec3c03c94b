"""Signals that a check-in may not be the learner's own. They name what was seen; a person judges it.

None of them proves anything: friends share phones, and a phone that leaves the campus's network uses its carrier's.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

#: So many scans of a room, so many of a hundred of them from one network, until "another network" means anything.
ENOUGH_SCANS = 5
USUAL_PCT = 80


class Signal(StrEnum):
    SHARED_DEVICE = "SHARED_DEVICE"
    FAR_NETWORK = "FAR_NETWORK"
    RELAYED = "RELAYED"


class Seen(NamedTuple):
    """A scan: whose, by which device and network (hashes; empty where unknown), in which room, of which step.

    A tuple, as each check-in makes one for every scan of its class.
    """

    number: int
    person: int
    device: str
    network: str
    room: int | None
    step: int
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What was noticed about a scan; `other` is the scan that it is set against."""

    signal: Signal
    other: int | None = None


def usual_network(room: int | None, scans: Sequence[Seen]) -> str:
    """The network from which a room is usually scanned; empty where there is none that nearly everybody uses."""
    known = Counter(scan.network for scan in scans if scan.room == room and scan.network)
    if known.total() < ENOUGH_SCANS:
        return ""
    network, count = known.most_common(1)[0]
    return network if count * 100 >= known.total() * USUAL_PCT else ""


def suspicions(scan: Seen, earlier: Sequence[Seen]) -> list[Suspicion]:
    """Say what is remarkable about `scan`, given the earlier ones of the same class; each signal once.

    RELAYED: in its step of grace, from another network than somebody who scanned the same code while it was shown.
    FAR_NETWORK: not from where the room is usually scanned.
    """
    found = []
    same = [one for one in earlier if scan.device and one.device == scan.device and one.person != scan.person]
    if same:
        found.append(Suspicion(Signal.SHARED_DEVICE, same[0].number))
    fresh = [
        one
        for one in earlier
        if one.person != scan.person and one.step == scan.step and one.room == scan.room and one.is_fresh
        and one.network and scan.network and one.network != scan.network
    ]  # fmt: skip
    if not scan.is_fresh and fresh:
        found.append(Suspicion(Signal.RELAYED, fresh[0].number))
    usual = usual_network(scan.room, [one for one in earlier if one.person != scan.person])
    if usual and scan.network and scan.network != usual:
        found.append(Suspicion(Signal.FAR_NETWORK))
    return found
