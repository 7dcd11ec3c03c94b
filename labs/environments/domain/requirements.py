"""Reading a requirements file: every package at one version and with hashes, and nothing else, so that every node
builds the same.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MAX_BYTES = 1024 * 1024
MAX_PROBLEMS = 20

_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._,\s-]*\])?\s*"
    r"===?\s*(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)\s*(?:;\s*(?P<marker>\S.*))?"
)
_HASH = re.compile(r"hash\s*[= ]\s*(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})")
_COMMENT = re.compile(r"(^|\s)#.*$")
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ELSEWHERE = re.compile(r"://|@\s*\S|^\.{0,2}/|\.(whl|zip|tar\.gz)(\s|$)")
_SAME_NAME = re.compile(r"[-_.]+")


@dataclass(frozen=True, order=True)
class Package:
    """One package at its version. `marker` says where it is wanted, and is empty where it always is."""

    name: str
    version: str
    marker: str = ""


@dataclass(frozen=True)
class Problem:
    """What is wrong: `line` counts from 1, and is None when the whole file is meant."""

    code: str
    line: int | None = None
    facts: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Requirements:
    """What was read. `text` is what is hashed: line ends of one kind, one at the end."""

    text: str
    packages: tuple[Package, ...] = ()
    problems: tuple[Problem, ...] = ()


def parse_requirements(text: str) -> Requirements:
    """Read a requirements file. Never raises: whatever is wrong is in `problems`, the first twenty of it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff").rstrip("\n") + "\n"
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        return Requirements("", problems=(Problem("too_large", facts={"most": MAX_BYTES}),))
    if _ODD.search(text):
        return Requirements("", problems=(Problem("not_text"),))
    packages: list[Package] = []
    problems: list[Problem] = []
    first_lines: dict[tuple[str, str], int] = {}
    for line, said in _statements(text):
        found = _read(line, said)
        if isinstance(found, Package):
            first = first_lines.setdefault((_SAME_NAME.sub("-", found.name).lower(), found.marker), line)
            if first != line:
                found = Problem("twice", line, {"name": found.name, "first": first})
        if isinstance(found, Problem):
            problems.append(found)
        else:
            packages.append(found)
    if not packages and not problems:
        problems.append(Problem("empty"))
    return Requirements(text, tuple(sorted(packages)), tuple(problems[:MAX_PROBLEMS]))


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line it begins at, statement) with continued lines joined and comments left out."""
    joined, began = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        began = began or number
        if line.endswith("\\") and not _COMMENT.match(line.lstrip()):
            joined += line[:-1] + " "
            continue
        said = _COMMENT.sub("", joined + line).strip()
        if said:
            yield began, said
        joined, began = "", 0
    if joined.strip():
        yield began, joined.strip()


def _read(line: int, said: str) -> Package | Problem:
    wanted, *options = re.split(r"(?:^|\s+)--?(?=[A-Za-z])", said)
    shown = {"said": said[:80]}
    if not wanted.strip():
        return Problem("option", line, shown)
    if _ELSEWHERE.search(wanted):
        return Problem("elsewhere", line, shown)
    match = _PINNED.fullmatch(wanted.strip())
    if match is None:
        name = re.match(r"[A-Za-z0-9._-]+", wanted)
        return Problem("unpinned" if name else "unreadable", line, {"name": name.group() if name else "", **shown})
    if not all(_HASH.fullmatch(option.strip()) for option in options):
        return Problem("bad_hash", line, {"name": match["name"]})
    if not options:
        return Problem("no_hash", line, {"name": match["name"]})
    return Package(match["name"], match["version"], (match["marker"] or "").strip())
