"""Artifacts: staged under the attempt's own folder while it runs, published by settle, dropped if never published."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any, Protocol

import structlog
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from campus.core.errors import InvalidInput, TooLarge
from labs.jobs.domain.paths import BadFile, check_path
from labs.jobs.domain.results import MAX_BYTES
from labs.jobs.models import Artifact, Attempt, Job
from labs.jobs.refusals import words_of

from .fences import StaleFence, require_open

logger = structlog.get_logger(__name__)

RESULT_FILE = "metrics.json"
_CHUNK = 64 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Readable(Protocol):
    """What a body is read from: a request, or a file."""

    def read(self, size: int, /) -> bytes:
        """Read at most `size` bytes; none at the end."""


class _Incoming(File):
    """A body on its way to the storage: digested and counted as it passes, cut off at the cap."""

    def __init__(self, stream: Readable, most: int) -> None:
        super().__init__(None, name="artifact")
        self.stream = stream
        self.most = most
        self.seen = 0
        self.sha256 = hashlib.sha256()

    @property
    def size(self) -> int:
        return self.seen

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        while chunk := self.stream.read(chunk_size or _CHUNK):
            self.seen += len(chunk)
            if self.seen > self.most:
                raise TooLarge(_("The outputs are larger than may be kept."), code="artifacts_too_large")
            self.sha256.update(chunk)
            yield chunk

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks()

    def require(self, digest: str) -> None:
        """Raises InvalidInput unless what passed has this SHA-256."""
        if self.sha256.hexdigest() != digest:
            raise InvalidInput({"digest": _("The bytes that arrived have another SHA-256. Send the file again.")})

    def multiple_chunks(self, chunk_size: int | None = None) -> bool:
        return True


def store_artifact(*, attempt: Attempt, fence: int, path: str, digest: str, body: Readable) -> Artifact:
    """Stage one output of a run. Sending the same one again changes nothing.

    Raises StaleFence, InvalidInput (path, digest that does not match), TooLarge for caps on files and bytes.
    """
    require_open(attempt, fence)
    try:
        path = check_path(path)
    except BadFile as refusal:
        raise InvalidInput({"path": words_of(refusal)}) from refusal
    if not _SHA256.fullmatch(digest):  # part of a file's name on our disk
        raise InvalidInput({"digest": _("A SHA-256 has 64 hexadecimal digits.")})
    found = Artifact.objects.filter(attempt=attempt, path=path).first()
    if found is not None and found.digest == digest:
        return found
    kept = Artifact.objects.filter(attempt=attempt).exclude(path=path)
    if kept.count() >= settings.LABS_ARTIFACT_MAX_FILES:
        raise TooLarge(_("There are more output files than may be kept."), code="too_many_artifacts")
    used = kept.aggregate(used=Sum("size_bytes"))["used"] or 0
    incoming = _Incoming(body, settings.LABS_ARTIFACT_MAX_BYTES - used)
    name = default_storage.save(_name_of(attempt, path, digest), incoming)
    try:
        incoming.require(digest)
        return _keep(attempt, fence, path, digest, incoming.seen, name)
    except BaseException:
        default_storage.delete(name)
        raise


def _name_of(attempt: Attempt, path: str, digest: str) -> str:
    # By digests: a learner's file name never becomes a name on our disk.
    return f"attempts/{attempt.pk}/{hashlib.sha256(path.encode()).hexdigest()[:24]}-{digest[:16]}"


def _keep(attempt: Attempt, fence: int, path: str, digest: str, size: int, name: str) -> Artifact:
    with transaction.atomic():
        # The attempt's row orders this against settle: nothing is added to what has been published.
        if not Attempt.objects.select_for_update(no_key=True).filter(
            pk=attempt.pk, fence=fence
        ).exclude(state=Attempt.State.ENDED).exists():  # fmt: skip
            raise StaleFence
        before = Artifact.objects.filter(attempt=attempt, path=path).first()
        artifact, _made = Artifact.objects.update_or_create(
            attempt=attempt, path=path, defaults={"size_bytes": size, "digest": digest, "file": name}
        )
        if before is not None and before.file.name != name:
            old = str(before.file.name)
            transaction.on_commit(lambda: default_storage.delete(old), robust=True)
    return artifact


def drop_unpublished(attempt: Attempt) -> None:
    """Forget what the attempt staged and did not publish; the files go once the transaction is committed."""
    leftovers = Artifact.objects.filter(attempt=attempt, is_published=False, is_checkpoint=False)
    names = list(leftovers.values_list("file", flat=True))
    if names:
        forget(leftovers, names)


def forget(leftovers: QuerySet[Artifact], names: list[str]) -> None:
    """Delete these rows; their files, of these names, go once the transaction is committed."""
    leftovers.delete()
    transaction.on_commit(lambda: delete_files(names), robust=True)


def delete_files(names: list[str]) -> None:
    """Delete these from the storage; one that cannot be deleted is left behind, and logged."""
    for name in names:
        try:
            default_storage.delete(name)
        except OSError as error:
            logger.warning("artifact_left_behind", name=name, error=str(error))


def read_small(artifact: Artifact) -> bytes:
    """The artifact's bytes if there are at most MAX_BYTES of them, else nothing."""
    if artifact.size_bytes > MAX_BYTES:
        return b""
    try:
        with artifact.file.open("rb") as stream:
            content: bytes = stream.read(MAX_BYTES + 1)
    except OSError as error:
        logger.warning("artifact_unreadable", artifact=artifact.pk, error=str(error))
        return b""
    return content


def published_artifacts(job: Job) -> Any:
    """The artifacts of the job that count, by path."""
    return Artifact.objects.filter(attempt__job=job, is_published=True).order_by("path")
