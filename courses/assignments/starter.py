"""A lab's starter as its form edits it: text in the editor, everything else as a list, and what is added by upload."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.http import HttpRequest

from campus.core.errors import CampusError
from labs.jobs import api as jobs


@dataclass(frozen=True)
class OtherFile:
    """A file that the editor cannot show."""

    path: str
    size_bytes: int
    is_removed: bool = False


@dataclass(frozen=True)
class Starter:
    """What is to be saved, or the error that forbids it, and how the form shows it again.

    `lost` are uploads that a page cannot carry to its next try.
    """

    files: Mapping[str, bytes]
    shown: list[dict[str, str]]
    others: list[OtherFile]
    lost: list[str] = field(default_factory=list)
    error: CampusError | None = None


def starter_of(request: HttpRequest, stored: Mapping[str, bytes]) -> Starter:
    """Read the form over what is `stored`: an upload replaces a file of its name, `remove` drops one of the others."""
    binary = jobs.unshown_files(stored)
    removed = {path for path in request.POST.getlist("remove") if path in binary}
    others = [OtherFile(path, len(content), path in removed) for path, content in sorted(binary.items())]
    if request.method != "POST":
        return Starter(stored, jobs.shown_files(stored), others)
    try:
        typed, uploaded = jobs.edited_files(request), jobs.uploaded_files(request)
        kept = {path: content for path, content in binary.items() if path not in removed}
        files = jobs.checked_files(kept | typed | uploaded)
    except CampusError as error:
        return Starter({}, jobs.typed_files(request), others, error=error)
    return Starter(files, jobs.shown_files(typed | uploaded), others, lost=[*jobs.unshown_files(uploaded)])
