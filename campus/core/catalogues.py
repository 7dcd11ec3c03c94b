"""Compiling the message catalogues: .po to .mo by polib, since a bare machine has no gettext."""

from __future__ import annotations

import os
from pathlib import Path

import polib

_NOT_OURS = {"node_modules", "site-packages"}


def compile_catalogues(root: Path) -> list[Path]:
    """Compile every `locale/*/LC_MESSAGES/*.po` below `root` whose .mo is missing or older.

    Returns the .mo files written. Raises OSError, naming the file, when a catalogue does not parse.
    """
    written = []
    for source in find_catalogues(root):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        # Written aside: a process that starts meanwhile reads the old one or the new one, never half.
        draft = target.with_suffix(f".mo.{os.getpid()}")
        polib.pofile(str(source)).save_as_mofile(str(draft))
        draft.replace(target)
        written.append(target)
    return written


def find_catalogues(root: Path) -> list[Path]:
    """Every catalogue below `root`, those of installed packages and hidden folders aside."""
    found = []
    for folder, children, files in os.walk(root):
        children[:] = [name for name in children if not name.startswith(".") and name not in _NOT_OURS]
        path = Path(folder)
        if path.name == "LC_MESSAGES" and path.parent.parent.name == "locale":
            found += [path / name for name in files if name.endswith(".po")]
    return sorted(found)
