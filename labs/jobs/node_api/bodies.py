"""Reading what a node sends: every value is checked, a node may be wrong or taken over."""

import json
import math
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from campus.core.errors import InvalidInput, TooLarge
from infra.pool.api import EnvironmentReport, GpuReport, Hello
from infra.pool.models import Gpu, Node, NodeEnvironment
from labs.jobs.domain.endings import Report
from labs.jobs.domain.paths import printable
from labs.jobs.services import Ended

BIG = 2**62
MAX_GPUS = 1024
MAX_ATTEMPTS = 4096
MAX_SKIPPED = 500
DETAIL = 300
MAX_DATA_SETS = 1_000
NO_DIGEST = "A SHA-256 has 64 hexadecimal digits."


class Body:
    """A JSON object and checked access to its fields. Every reader raises InvalidInput naming the field."""

    def __init__(self, said: Any, where: str = "") -> None:
        self._where = where
        if not isinstance(said, dict):
            raise InvalidInput({where: "Send a JSON object."})
        self._said: Mapping[str, Any] = said

    @classmethod
    def of(cls, request: HttpRequest) -> "Body":
        try:
            return cls(json.loads(request.body))
        except (ValueError, RecursionError) as error:
            raise InvalidInput({"": "This is no JSON that can be read."}) from error

    def text(self, name: str, most: int, *, default: str | None = None, cut: bool = False) -> str:
        value = self._said.get(name, default)
        if not isinstance(value, str) or "\0" in value or (len(value) > most and not cut):
            raise self._wrong(name, f"Send a text of at most {most} characters.")
        # A lone surrogate is JSON, but nothing that the database takes.
        return value[:most].encode("utf-8", "replace").decode()

    def is_missing(self, name: str) -> bool:
        return self._said.get(name) is None

    def choice(self, name: str, choices: Any) -> str:
        value = self._said.get(name)
        if value not in list(choices):
            raise self._wrong(name, "Send one of: {choices}.".format(choices=", ".join(map(str, choices))))
        return str(value)

    def whole(self, name: str, *, least: int = 0, most: int = BIG, default: int | None = None) -> int:
        value = self._said.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            bounds = {"least": least, "most": most}
            raise self._wrong(name, "Send a whole number from {least} to {most}.".format(**bounds))
        return value

    def whole_or_none(self, name: str, *, least: int = 0, most: int = BIG) -> int | None:
        return None if self._said.get(name) is None else self.whole(name, least=least, most=most)

    def number(self, name: str, *, most: float = 1e12) -> float:
        value = self._said.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise self._wrong(name, "Send a number that is not negative.")
        return float(value) if math.isfinite(value) else 0.0

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self._said.get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "Send true or false.")
        return value

    def objects(self, name: str, most: int) -> list["Body"]:
        return [Body(entry, f"{self._where}{name}.") for entry in self.listed(name, most)]

    def listed(self, name: str, most: int) -> list[Any]:
        value = self._said.get(name, [])
        if not isinstance(value, list):
            raise self._wrong(name, "Send a list.")
        if len(value) > most:
            raise TooLarge(f"{name} has more than {most} entries.")
        return value

    def _wrong(self, name: str, words: str) -> InvalidInput:
        return InvalidInput({f"{self._where}{name}": words})


def query_number(request: HttpRequest, name: str) -> int:
    """A whole number of the query string. Raises InvalidInput."""
    value = request.GET.get(name, "")
    if not value.isascii() or not value.isdecimal() or len(value) > 18:
        raise InvalidInput({name: "Send a whole number in the query string."})
    return int(value)


def hello_of(body: Body) -> Hello:
    """Raises InvalidInput."""
    gpus = [
        GpuReport(
            index=gpu.whole("index", most=4095),
            uuid=gpu.text("uuid", 64),
            kind=gpu.choice("kind", Gpu.Kind.values),
            gpu_type=gpu.text("gpu_type", 60),
            memory_mib=gpu.whole("memory_mib", most=2**31 - 1),
            watts=gpu.whole("watts", most=2**31 - 1),
        )
        for gpu in body.objects("gpus", MAX_GPUS)
    ]
    if len({gpu.index for gpu in gpus}) < len(gpus):
        raise InvalidInput({"gpus": "Two GPUs have the same index."})
    environments = {found.digest: found for found in map(environment_of, body.objects("environments", 1000))}
    return Hello(
        boot_id=body.text("boot_id", 40),
        agent_version=body.text("agent_version", 40, default="", cut=True),
        cpu_count=body.whole("cpu_count", most=2**31 - 1),
        memory_mib=body.whole("memory_mib", most=2**31 - 1),
        confinement=body.choice("confinement", Node.Confinement.values),
        confinement_detail=body.text("confinement_detail", DETAIL, default="", cut=True),
        gpus=gpus,
        environments=list(environments.values()),
        shares_gpus=body.flag("shares_gpus"),
        data_sets=data_sets_of(body) or (),
    )


def data_sets_of(body: Body) -> list[str] | None:
    """The digests of the data sets that lie on the node; None where it says nothing of them. Raises InvalidInput."""
    if body.is_missing("data_sets"):
        return None
    digests = body.listed("data_sets", MAX_DATA_SETS)
    if not all(_is_digest(digest) for digest in digests):
        raise InvalidInput({"data_sets": NO_DIGEST})
    return digests


def _is_digest(text: Any) -> bool:
    return isinstance(text, str) and len(text) == 64 and not set(text) - set("0123456789abcdef")


def environment_of(body: Body) -> EnvironmentReport:
    """Raises InvalidInput."""
    digest = body.text("digest", 64)
    if not _is_digest(digest):
        raise InvalidInput({"digest": NO_DIGEST})
    return EnvironmentReport(
        digest=digest,
        state=body.choice("state", NodeEnvironment.State.values),
        detail=body.text("detail", 20_000, default="", cut=True),
        size_bytes=body.whole("size_bytes", default=0),
    )


def gpu_samples(body: Body) -> list[dict[str, Any]]:
    """The GPUs of a heartbeat. Raises InvalidInput."""
    small = 2**31 - 1
    return [
        {
            "index": gpu.whole("index", most=4095),
            "utilisation_pct": gpu.whole_or_none("utilisation_pct", most=100),
            "memory_used_mib": gpu.whole_or_none("memory_used_mib", most=small),
            "power_w": gpu.whole_or_none("power_w", most=small),
            "is_healthy": gpu.flag("is_healthy", default=True),
        }
        for gpu in body.objects("gpus", MAX_GPUS)
    ]


def ended_of(body: Body) -> Ended:
    """Raises InvalidInput."""
    artifacts = [
        {"path": entry.text("path", 1000), "digest": entry.text("digest", 64), "size_bytes": entry.whole("size_bytes")}
        for entry in body.objects("artifacts", 5_000)
    ]
    exit_code = body.whole_or_none("exit_code", least=-BIG)
    return Ended(
        reason=Report(body.choice("reason", [report.value for report in Report])),
        exit_code=None if exit_code is None else max(-32_768, min(exit_code, 32_767)),
        run_s=body.number("run_s"),
        cpu_s=body.number("cpu_s"),
        peak_memory_bytes=body.whole("peak_memory_bytes", default=0),
        log_bytes=body.whole("log_bytes", default=0),
        is_log_truncated=body.flag("log_truncated"),
        skipped=[_pair(entry) for entry in body.listed("skipped", 100_000)[:MAX_SKIPPED]],
        detail=body.text("detail", DETAIL, default="", cut=True),
        artifacts=artifacts,
        checkpoint_run_s=None if body.is_missing("checkpoint_run_s") else body.number("checkpoint_run_s"),
    )


def _pair(entry: Any) -> tuple[str, str]:
    if not isinstance(entry, list) or len(entry) != 2:
        raise InvalidInput({"skipped": "Send pairs of a name and the reason."})
    name, why = (printable(str(part)) for part in entry)
    return name, why
