"""What goes over the node API, as typed values. Everything that the campus answers is checked before it is used."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from infra.executors.contract import WHOLE_GPU

DIGEST = re.compile(r"[0-9a-f]{64}\Z")
MAX_WALL_S = 366 * 86_400


class ProtocolError(Exception):
    """An answer is not what the node API promises."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object of an answer; `where` names it in errors."""

    content: Mapping[str, Any]
    where: str

    @classmethod
    def of(cls, value: object, where: str) -> Fields:
        """Raises ProtocolError unless `value` is an object."""
        if not isinstance(value, dict):
            raise ProtocolError(f"{where}: not an object")
        return cls(value, where)

    def text(self, name: str, *, most: int = 1000, default: str | None = None) -> str:
        """A string without NUL."""
        value = self.content.get(name, default)
        if not isinstance(value, str) or len(value) > most or "\0" in value:
            raise self._wrong(name, f"text of at most {most} characters")
        return value

    def digest(self, name: str) -> str:
        """A SHA-256 in hex: safe as a file's name."""
        value = self.text(name, most=64)
        if not DIGEST.match(value):
            raise self._wrong(name, "a SHA-256 in hex")
        return value

    def whole(self, name: str, *, least: int = 0, most: int = 2**63 - 1, default: int | None = None) -> int:
        """An integer within bounds."""
        value = self.content.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._wrong(name, f"a whole number from {least} to {most}")
        return value

    def number(self, name: str, *, least: float, most: float) -> float:
        """A finite number within bounds."""
        value = self.content.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._wrong(name, "a number")
        if not least <= value <= most:
            raise self._wrong(name, f"a number from {least} to {most}")
        return float(value)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.content.get(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def objects(self, name: str) -> list[Fields]:
        """A list of objects."""
        value = self.content.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return [Fields.of(item, f"{self.where}.{name}[{at}]") for at, item in enumerate(value)]

    def texts(self, name: str) -> dict[str, str]:
        """A map of strings."""
        value = self.content.get(name)
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise self._wrong(name, "a map of texts")
        return dict(value)

    def _wrong(self, name: str, wanted: str) -> ProtocolError:
        return ProtocolError(f"{self.where}.{name}: not {wanted}")


# ---- what the agent says ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GpuReport:
    """A GPU or CPU slot of this node. `watts` at full load."""

    index: int
    uuid: str
    kind: str
    gpu_type: str
    memory_mib: int
    watts: int


@dataclass(frozen=True, slots=True)
class GpuSample:
    """How a GPU does now; None where it cannot be known."""

    index: int
    utilisation_pct: int | None = None
    memory_used_mib: int | None = None
    power_w: int | None = None
    is_healthy: bool = True


@dataclass(frozen=True, slots=True)
class EnvironmentReport:
    """An environment on this node; `state` is BUILDING, READY or FAILED."""

    digest: str
    state: str
    detail: str = ""
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Hello:
    """What a node says of itself when its agent starts."""

    boot_id: str
    agent_version: str
    cpu_count: int
    memory_mib: int
    confinement: str
    confinement_detail: str
    gpus: tuple[GpuReport, ...]
    environments: tuple[EnvironmentReport, ...]
    shares_gpus: bool = False
    """Several jobs may have a part of one of its GPUs each."""
    data_sets: tuple[str, ...] = ()
    """Digests of the data sets that lie on the node."""


@dataclass(frozen=True, slots=True)
class ArtifactReport:
    """A file that was uploaded for an attempt."""

    path: str
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of an attempt."""

    fence: int
    reason: str
    exit_code: int | None
    run_s: float
    cpu_s: float
    peak_memory_bytes: int
    log_bytes: int
    log_truncated: bool
    skipped: tuple[tuple[str, str], ...]
    detail: str
    artifacts: tuple[ArtifactReport, ...]
    checkpoint_run_s: float | None = None
    """Of a preempted attempt: the second of its run that the checkpoint keeps; None where no checkpoint is kept."""


def body_of(message: Hello | Settlement | EnvironmentReport | GpuSample) -> dict[str, Any]:
    """The message as JSON."""
    return asdict(message)


# ---- what the campus says -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Welcome:
    """The campus's answer to hello."""

    node: str
    lease_s: float
    heartbeat_s: float
    queue: str

    @classmethod
    def parse(cls, answer: object) -> Welcome:
        """Raises ProtocolError."""
        fields = Fields.of(answer, "hello")
        lease_s = fields.number("lease_s", least=0.5, most=3600)
        heartbeat_s = fields.number("heartbeat_s", least=0.05, most=lease_s / 3)
        return cls(fields.text("node"), lease_s, heartbeat_s, fields.text("queue", most=200))


@dataclass(frozen=True, slots=True)
class Pulse:
    """The answer to a heartbeat: a verdict ("go", "stop", "preempt", "kill") by attempt, and whether work waits."""

    verdicts: Mapping[int, str]
    has_work: bool
    graces_s: Mapping[int, float]
    """Of those to preempt: seconds between SIGTERM and the kill."""

    @classmethod
    def parse(cls, answer: object) -> Pulse:
        """Raises ProtocolError."""
        fields = Fields.of(answer, "heartbeat")
        said = fields.objects("attempts")
        verdicts = {item.whole("attempt_id"): item.text("verdict") for item in said}
        graces_s = {
            item.whole("attempt_id"): item.number("grace_s", least=0, most=3600)
            for item in said
            if item.content.get("verdict") == "preempt"
        }
        return cls(verdicts, fields.flag("work"), graces_s)


@dataclass(frozen=True, slots=True)
class EnvironmentOrder:
    """An environment that an attempt needs."""

    digest: str
    requirements: str
    python_version: str


@dataclass(frozen=True, slots=True)
class DataSetOrder:
    """A data set that an attempt reads at /data/SLUG: a zip of `size_bytes`."""

    slug: str
    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file that an earlier attempt of the job saved, by its path in `/work`."""

    path: str
    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """An attempt that this node has claimed."""

    attempt_id: int
    fence: int
    job_id: int
    title: str
    entrypoint: str
    environment: EnvironmentOrder | None
    data_sets: tuple[DataSetOrder, ...]
    gpus: tuple[tuple[int, str], ...]
    """(index, uuid)."""
    wall_s: float
    term_grace_s: float
    env: Mapping[str, str]
    files: Mapping[str, bytes] | None = None
    """The job's files by path; None where they are many bytes and must be asked for."""
    checkpoint: tuple[SavedFile, ...] | None = None
    """What an earlier attempt saved; None where the job is not preemptible and saves nothing."""
    gpu_milli: int = WHOLE_GPU
    """Thousandths of its one GPU; 1000 for whole ones."""
    gpu_memory_mib: int | None = None
    """The memory that goes with a share; None for whole GPUs, whose memory is all theirs."""

    @classmethod
    def parse(cls, fields: Fields) -> Assignment:
        """Raises ProtocolError."""
        return cls(
            attempt_id=fields.whole("attempt_id"),
            fence=fields.whole("fence"),
            job_id=fields.whole("job_id"),
            title=fields.text("title"),
            entrypoint=fields.text("entrypoint", most=400),
            environment=_environment(fields),
            data_sets=tuple(_data_set(item) for item in fields.objects("data_sets")),
            gpus=tuple((item.whole("index", most=4095), item.text("uuid")) for item in fields.objects("gpus")),
            wall_s=fields.number("wall_s", least=0.001, most=MAX_WALL_S),
            term_grace_s=fields.number("term_grace_s", least=0, most=3600),
            env=fields.texts("env"),
            files=None if fields.content.get("files") is None else source_files(fields.content),
            checkpoint=_checkpoint(fields),
            **_share(fields),
        )


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An attempt that was claimed, and whose description this agent cannot use."""

    attempt_id: int
    fence: int
    problem: str


def claimed(answer: object) -> list[Assignment | Unreadable]:
    """The attempts of a claim. One that is malformed does not spoil the others. Raises ProtocolError."""
    found: list[Assignment | Unreadable] = []
    for fields in Fields.of(answer, "claim").objects("attempts"):
        try:
            found.append(Assignment.parse(fields))
        except ProtocolError as error:
            found.append(Unreadable(fields.whole("attempt_id"), fields.whole("fence"), str(error)))
    return found


def _environment(fields: Fields) -> EnvironmentOrder | None:
    if fields.content.get("environment") is None:
        return None
    order = Fields.of(fields.content["environment"], f"{fields.where}.environment")
    return EnvironmentOrder(
        order.digest("digest"),
        order.text("requirements", most=4 * 1024 * 1024),
        order.text("python_version", most=10, default="3.11"),
    )


def _share(fields: Fields) -> dict[str, Any]:
    """What of a GPU the attempt has. Raises ProtocolError, also for a share of several GPUs or without its memory."""
    milli = fields.whole("gpu_milli", least=1, most=WHOLE_GPU, default=WHOLE_GPU)
    if milli == WHOLE_GPU:
        return {}
    if len(fields.objects("gpus")) != 1:
        raise ProtocolError(f"{fields.where}: a share of other than one GPU")
    return {"gpu_milli": milli, "gpu_memory_mib": fields.whole("gpu_memory_mib", most=2**31 - 1)}


def _data_set(fields: Fields) -> DataSetOrder:
    return DataSetOrder(fields.text("slug", most=64), fields.digest("digest"), fields.whole("size_bytes"))


def _checkpoint(fields: Fields) -> tuple[SavedFile, ...] | None:
    if fields.content.get("checkpoint") is None:
        return None
    return tuple(
        SavedFile(item.text("path", most=400), item.digest("digest"), item.whole("size_bytes"))
        for item in fields.objects("checkpoint")
    )


def source_files(answer: object) -> dict[str, bytes]:
    """The files of a job by path. Whether a path may be used is the executor's to say. Raises ProtocolError."""
    files = Fields.of(Fields.of(answer, "source").content.get("files"), "source.files")
    found = {}
    for path in files.content:
        entry = Fields.of(files.content[path], f"source.files[{path[:80]!r}]")
        found[path] = _content(entry)
    return found


def _content(entry: Fields) -> bytes:
    text, encoded = entry.content.get("text"), entry.content.get("base64")
    if isinstance(text, str) and encoded is None:
        return text.encode("utf-8", "surrogatepass")
    if isinstance(encoded, str) and text is None:
        try:
            return base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise ProtocolError(f"{entry.where}: no base64") from error
    raise ProtocolError(f"{entry.where}: neither text nor base64")
