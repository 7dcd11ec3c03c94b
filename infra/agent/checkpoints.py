"""What a preempted run saved: taken out of what it left, and brought to the node where it goes on."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import threading
from pathlib import Path
from typing import IO

from infra.agent.api import NodeApi
from infra.agent.persistence import insist
from infra.agent.wire import Assignment, SavedFile
from infra.executors.contract import CHECKPOINT, CheckpointFile, Output, RunEnded

CHUNK = 1024 * 1024


class CheckpointFailed(Exception):
    """What was saved cannot be had as it was; the message says why."""


def whole_checkpoint(ended: RunEnded) -> tuple[Output, ...]:
    """The files of the run's checkpoint. None of them where one could not be kept: half a state is no state."""
    inside = f"{CHECKPOINT}/"
    if any(f"{name}/".startswith(inside) for name, _why in ended.skipped):
        return ()
    return tuple(output for output in ended.outputs if output.path.startswith(inside))


def bring(
    order: Assignment, api: NodeApi, folder: Path, *, held: contextlib.ExitStack, cut: threading.Event
) -> tuple[CheckpointFile, ...]:
    """Fetch what an earlier attempt saved into a folder that `held` drops. Raises CheckpointFailed, GivenUp."""
    if not order.checkpoint:
        return ()
    place = Path(held.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix="checkpoint-")))
    found = []
    for number, saved in enumerate(order.checkpoint):
        # By number: a learner's file name never becomes a name on this node's disk.
        target = place / f"{number:04d}"
        with open(target, "w+b") as file:
            _fetch(order, saved, api, file, cut)
        found.append(CheckpointFile(saved.path, target))
    return tuple(found)


def _fetch(order: Assignment, saved: SavedFile, api: NodeApi, file: IO[bytes], cut: threading.Event) -> None:
    def again() -> None:
        file.seek(0)
        file.truncate()
        api.fetch_checkpoint(order.attempt_id, order.fence, saved.path, file, most=max(saved.size_bytes, 1))

    insist(again, until=cut, what=f"checkpoint {saved.path}")
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    if digest.hexdigest() != saved.digest:
        raise CheckpointFailed(f"checkpoint {saved.path}: its bytes have another SHA-256")
