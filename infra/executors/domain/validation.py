"""The rules of a `RunSpec` that every executor checks before it begins."""

from __future__ import annotations

import math
from collections.abc import Iterator

from infra.executors.contract import CHECKPOINT, KIB, MIB, WHOLE_GPU, RunSpec
from infra.executors.domain import names

MAX_SOURCES = 2_000


def problems(spec: RunSpec) -> list[str]:
    """All that is wrong with it, in words; empty when it may run."""
    return [*_identity(spec), *_files(spec), *_checkpoint(spec), *_surroundings(spec), *_limits(spec)]


def _identity(spec: RunSpec) -> Iterator[str]:
    if not names.RUN_ID.match(spec.run_id):
        yield "run_id: use 1 to 64 letters, digits, '-' and '_'"
    if not spec.argv or not spec.argv[0]:
        yield "argv: names no program"
    if any("\0" in argument for argument in spec.argv):
        yield "argv: holds a NUL character"
    if sum(len(argument.encode()) for argument in spec.argv) > 64 * KIB:
        yield "argv: longer than 64 KiB"


def _files(spec: RunSpec) -> Iterator[str]:
    if len(spec.files) > MAX_SOURCES:
        yield f"files: more than {MAX_SOURCES}"
    folders: set[str] = set()
    for path in spec.files:
        problem = names.source_path_problem(path, max_depth=spec.caps.depth)
        if problem:
            yield f"files: {names.printable(path)!r} {problem}"
        folders.update(path[:at] for at, char in enumerate(path) if char == "/")
    for path in sorted(folders & set(spec.files)):
        yield f"files: {names.printable(path)!r} is a file and a folder"
    if sum(map(len, spec.files.values())) > spec.work_bytes:
        yield "files: larger than work_bytes"


def _checkpoint(spec: RunSpec) -> Iterator[str]:
    if spec.checkpoint is None:
        return
    paths = [saved.path for saved in spec.checkpoint]
    folders = {path[:at] for path in paths for at, char in enumerate(path) if char == "/"}
    for path in paths:
        problem = names.source_path_problem(path, max_depth=spec.caps.depth)
        if problem or not path.startswith(f"{CHECKPOINT}/"):
            yield f"checkpoint: {names.printable(path)!r} {problem or 'is not of the checkpoint'}"
    # A saved file may replace a source.
    if len(set(paths)) != len(paths) or (folders | {CHECKPOINT}) & {*paths, *spec.files}:
        yield "checkpoint: a name is there twice, or is a file and a folder"


def _surroundings(spec: RunSpec) -> Iterator[str]:
    for name, value in spec.env.items():
        if not names.ENV_NAME.match(name) or "\0" in value:
            yield f"env: {names.printable(name)!r} is no environment variable"
    if sum(len(name) + len(value.encode()) for name, value in spec.env.items()) > 64 * KIB:
        yield "env: longer than 64 KiB"
    for name, _path in spec.datasets:
        if not names.DATASET_NAME.match(name):
            yield f"datasets: {names.printable(name)!r} is no data set's name"
    if len({name for name, _path in spec.datasets}) != len(spec.datasets):
        yield "datasets: a name is there twice"
    for gpu in spec.gpus:
        if gpu.kind == "nvidia" and not (gpu.device_path or "").startswith("/dev/nvidia"):
            yield f"gpus: GPU {gpu.index} has no device path"
        if not 1 <= gpu.milli <= WHOLE_GPU or (gpu.is_share and len(spec.gpus) > 1):
            yield f"gpus: GPU {gpu.index} is no share of one GPU"


def _limits(spec: RunSpec) -> Iterator[str]:
    if spec.memory_bytes < 32 * MIB:
        yield "memory_bytes: at least 32 MiB"
    if not 1 * MIB <= spec.work_bytes <= spec.memory_bytes:
        yield "work_bytes: from 1 MiB to memory_bytes"
    if not 0 < spec.cpu_cores <= 4096 or not math.isfinite(spec.cpu_cores):
        yield "cpu_cores: more than 0"
    if not 1 <= spec.max_processes <= 100_000:
        yield "max_processes: from 1 to 100,000"
    if not 0 < spec.wall_s <= 365 * 86_400:
        yield "wall_s: more than 0, at most a year"
    if not 0 <= spec.term_grace_s <= 3_600:
        yield "term_grace_s: from 0 to 3,600"
