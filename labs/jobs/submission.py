"""Reading a submission from a request: JSON, or a form with files or one zip. Used by pages and by the API."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from campus.core.errors import InvalidInput, Text, TooLarge
from labs.environments.models import DataSet, Environment

from .domain.dependencies import After, Condition
from .domain.paths import BadFile
from .domain.upload import UploadLimits, unpack
from .models import Sweep
from .refusals import refused
from .services.sweeps import SweepWish

_WHOLE = re.compile(r"-?\d{1,18}")

ARCHIVE_FIELDS = ("zip", "archive", "file")  # what programs call it


@dataclass(frozen=True)
class Submission:
    """What was sent. None, or an empty value, where the request said nothing of it."""

    files: dict[str, bytes]
    lab_id: int | None = None
    account_id: int | None = None
    title: str = ""
    entrypoint: str = ""
    environment_id: int | None = None
    gpus: int | None = None
    gpu_milli: int | None = None
    gpu_memory_mib: int | None = None
    gpu_type: str = ""
    wall_s: int | None = None
    data_set_ids: tuple[int, ...] = ()
    preferred_campus_id: int | None = None
    is_preemptible: bool = False
    idempotency_key: str | None = None
    after: tuple[After, ...] = ()
    given: frozenset[str] = field(default_factory=frozenset)
    """Names of the fields that the request had, so that an absent one can take a lab's default."""
    wrong: InvalidInput | None = None
    """What could not be read, to be said together with whatever else is wrong."""


def parse_submission(request: Any) -> Submission:
    """Read a request as `read_submission` does. Raises InvalidInput that names each field, and TooLarge."""
    submission = read_submission(request)
    if submission.wrong is not None:
        raise submission.wrong
    return submission


def read_submission(request: Any) -> Submission:
    """Read a Django or REST framework request; what is wrong with single fields is in `wrong`.

    Raises TooLarge, and InvalidInput for a body that has no fields.

    JSON: `files` maps a path to its text. A form: `zip` (also `archive` or `file`) is one archive, or `files` are
    uploads (their names are the paths), or `files` is such a JSON text (the editor's field).
    """
    try:
        said, uploads = _read(request)
    except RequestDataTooBig:
        raise TooLarge from None
    except TooManyFilesSent:  # reading stopped there, so how many they are is not known
        words = _("These are too many files; at most %(most)s are taken. Leave data and packages out.")
        raise InvalidInput({"files": words % {"most": settings.LABS_SOURCE_MAX_FILES}}) from None
    reader = _Reader(said)
    files, refusal = _files_or_refusal(said, uploads, reader)
    submission = Submission(
        files=files,
        lab_id=reader.whole("lab"),
        account_id=reader.whole("account"),
        title=reader.text("title"),
        entrypoint=reader.text("entrypoint"),
        environment_id=_environment(reader),
        gpus=reader.whole("gpus"),
        gpu_milli=reader.whole("gpu_milli"),
        gpu_memory_mib=reader.whole("gpu_memory_mib"),
        gpu_type=reader.text("gpu_type"),
        wall_s=reader.whole("wall_s"),
        data_set_ids=_data_sets(reader),
        preferred_campus_id=reader.whole("preferred_campus"),
        is_preemptible=reader.flag("preemptible"),
        idempotency_key=reader.text("idempotency_key") or None,
        after=_after(reader),
        given=frozenset(name for name in said if said[name] not in ("", None)),
    )
    wrong = InvalidInput(reader.wrong).beside(refusal) if reader.wrong else refusal
    return replace(submission, wrong=wrong)


def _files_or_refusal(
    said: Mapping[str, Any], uploads: Any, reader: "_Reader"
) -> tuple[dict[str, bytes], InvalidInput | None]:
    try:
        return _files(said, uploads, reader), None
    except InvalidInput as refusal:
        return {}, refusal


def _read(request: Any) -> tuple[Mapping[str, Any], Any]:
    """The fields and the uploads of a request of either kind."""
    if hasattr(request, "data"):
        if not hasattr(request.data, "keys"):
            raise InvalidInput({"": _("Send one JSON object.")})
        return request.data, request.FILES
    if request.content_type == "application/json":
        try:
            said = json.loads(request.body)
        except (ValueError, RecursionError):
            raise InvalidInput({"": _("This is no JSON that can be read.")}) from None
        if not isinstance(said, dict):
            raise InvalidInput({"": _("Send one JSON object.")})
        return said, {}
    return request.POST, request.FILES


class _Reader:
    """Reads fields by kind and gathers complaints."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self._said = said
        self.wrong: dict[str, Text] = {}

    def raw(self, name: str) -> Any:
        return self._said.get(name)

    def many(self, name: str) -> list[Any]:
        getlist = getattr(self._said, "getlist", None)
        found = getlist(name) if getlist else self._said.get(name)
        if found in (None, ""):
            return []
        if not isinstance(found, list):
            self.wrong[name] = _("Send a list.")
            return []
        return [entry for entry in found if entry != ""]

    def text(self, name: str) -> str:
        found = self._said.get(name)
        if found is None:
            return ""
        if not isinstance(found, str):
            self.wrong[name] = _("Send a text.")
            return ""
        return found.strip()

    def flag(self, name: str) -> bool:
        """JSON's true and false; a form sends words. What is not there is false."""
        found = self._said.get(name)
        if found in (None, "", False, "false", "0"):
            return False
        if found in (True, "true", "1", "on"):
            return True
        self.wrong[name] = _("Send true or false.")
        return False

    def json_list(self, name: str) -> list[Any]:
        """A list, which a form sends as JSON text."""
        found = self._decoded(name)
        if found in (None, ""):
            return []
        if not isinstance(found, list):
            self.wrong[name] = _("Send a list.")
            return []
        return found

    def json_object(self, name: str) -> dict[str, Any]:
        """An object, which a form sends as JSON text."""
        found = self._decoded(name)
        if found in (None, ""):
            return {}
        if not isinstance(found, dict):
            self.wrong[name] = _("Send an object.")
            return {}
        return found

    def _decoded(self, name: str) -> Any:
        found = self._said.get(name)
        if not isinstance(found, str) or not found.strip():
            return found
        try:
            return json.loads(found)
        except (ValueError, RecursionError):
            return found

    def whole(self, name: str) -> int | None:
        found = self._said.get(name)
        if found is None or found == "":
            return None
        if isinstance(found, str) and _WHOLE.fullmatch(found.strip()):
            return int(found)
        if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 2**62:
            return found
        self.wrong[name] = _("Send a whole number.")
        return None


def _environment(reader: _Reader) -> int | None:
    """By slug or by id. An unknown one is complained of here, in the words of the one who sent it."""
    wanted = reader.raw("environment")
    if wanted in (None, ""):
        return None
    by_slug = isinstance(wanted, str) and not wanted.isdecimal()
    if not by_slug:
        return reader.whole("environment")
    known = dict(Environment.objects.filter(is_active=True).values_list("slug", "pk"))
    if wanted in known:
        return known[str(wanted)]
    words = _("There is no environment “%(name)s”. Choose one of: %(offered)s.")
    reader.wrong["environment"] = words % {"name": str(wanted)[:60], "offered": ", ".join(sorted(known)[:10]) or "–"}
    return None


def _data_sets(reader: _Reader) -> tuple[int, ...]:
    wanted = reader.many("data_sets")
    if not wanted:
        return ()
    known = dict(DataSet.objects.filter(is_active=True).values_list("slug", "pk"))
    ids = set(known.values())
    found: list[int] = []
    for entry in wanted[:100]:
        pk = known.get(entry) if isinstance(entry, str) and not entry.isdecimal() else _as_id(entry)
        if pk not in ids or pk is None:
            words = _("There is no data set “%(name)s”. Choose one of: %(offered)s.")
            offered = ", ".join(sorted(known)[:10]) or "–"
            reader.wrong["data_sets"] = words % {"name": str(entry)[:60], "offered": offered}
            break
        found.append(pk)
    return tuple(dict.fromkeys(found))


def _after(reader: _Reader) -> tuple[After, ...]:
    """`[{"job": 12, "condition": "afterok"}]`; a bare number means that it must succeed. A form sends it as a text."""
    found: list[After] = []
    for entry in reader.json_list("after")[:100]:
        said = entry if isinstance(entry, dict) else {"job": entry}
        job_id, condition = _as_id(said.get("job")), said.get("condition", Condition.OK)
        if job_id is None or condition not in set(Condition) or said.keys() - {"job", "condition"}:
            words = _("Send objects with the number of a job and a condition, which is one of: %(conditions)s.")
            reader.wrong["after"] = words % {"conditions": ", ".join(Condition)}
            break
        found.append(After(job_id, Condition(condition)))
    return tuple(found)


def read_sweep(request: Any) -> tuple[SweepWish, InvalidInput | None]:
    """What a request to sweep adds to a submission: `grid` or `points`, `metric`, `direction`, `max_running`.

    Beside it, what could not be read. Whether names and values may be is not judged here.
    """
    said, _uploads = _read(request)
    reader = _Reader(said)
    grid = reader.json_object("grid")
    points = reader.json_list("points")
    if not all(isinstance(values, list) for values in grid.values()):
        reader.wrong["grid"] = _("Send an object that maps each parameter to the list of its values.")
    if not all(isinstance(point, dict) for point in points):
        reader.wrong["points"] = _("Send a list of objects, each with the parameters of one run.")
    asked = SweepWish(
        grid=grid,
        points=points,
        metric=reader.text("metric"),
        direction=reader.text("direction") or Sweep.Direction.HIGHER,
        max_running=reader.whole("max_running"),
    )
    return asked, InvalidInput(reader.wrong) if reader.wrong else None


def _as_id(entry: Any) -> int | None:
    if isinstance(entry, str):
        return int(entry) if _WHOLE.fullmatch(entry) else None
    return entry if isinstance(entry, int) and not isinstance(entry, bool) else None


def _files(said: Mapping[str, Any], uploads: Any, reader: _Reader) -> dict[str, bytes]:
    archive = next((uploads[name] for name in ARCHIVE_FIELDS if name in uploads), None)
    if archive is not None:
        return _unzip(archive)
    sent = uploads.getlist("files") if hasattr(uploads, "getlist") else []
    if len(sent) == 1 and str(sent[0].name).lower().endswith(".zip"):
        return _unzip(sent[0])
    if sent:
        return _uploaded(sent)
    written = said.get("files")
    if isinstance(written, str) and written:
        try:
            written = json.loads(written)
        except (ValueError, RecursionError):
            reader.wrong["files"] = _("This is no JSON that can be read.")
            return {}
    if written in (None, ""):
        return {}
    if not isinstance(written, dict):
        reader.wrong["files"] = _("Send an object that maps each path to its text.")
        return {}
    return _texts(written, reader)


def _texts(written: Mapping[str, Any], reader: _Reader) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for path, text in written.items():
        if not isinstance(text, str):
            words = _("“%(path)s” must be a text. Send files that are no text in a zip.")
            reader.wrong["files"] = words % {"path": str(path)[:60]}
            return {}
        try:
            files[path] = text.encode()
        except UnicodeEncodeError:
            words = _("“%(path)s” holds half a character (a lone surrogate). Save it as UTF-8 and send it again.")
            reader.wrong["files"] = words % {"path": path.encode("ascii", "replace").decode()[:60]}
            return {}
    return files


def _limits() -> UploadLimits:
    return UploadLimits(files=settings.LABS_SOURCE_MAX_FILES, total_bytes=settings.LABS_SOURCE_MAX_BYTES)


def _unzip(archive: UploadedFile) -> dict[str, bytes]:
    try:
        return unpack(archive, _limits())  # type: ignore[arg-type]
    except BadFile as refusal:
        raise refused(refusal) from refusal


def _uploaded(sent: Iterable[UploadedFile]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    room = _limits().total_bytes
    for upload in sent:
        name = str(upload.name)
        refusal = _refusal_of(name, upload.size or 0, room, files)
        if refusal is not None:
            raise refused(refusal)
        files[name] = upload.read()
        room -= len(files[name])
    return files


def _refusal_of(name: str, size: int, room: int, files: Mapping[str, bytes]) -> BadFile | None:
    limits = _limits()
    if name in files:
        return BadFile("duplicate", name, other=name)
    if len(files) >= limits.files:
        return BadFile("too_many_files", most=limits.files, given=len(files) + 1)
    if size > room:
        return BadFile("too_large", most=limits.total_bytes)
    return None
