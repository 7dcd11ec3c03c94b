"""Hostile zip archives, each by how it was made."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping

MAIN = b"print('hello')\n"


def packed(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def named(name: str, *, mode: int = 0, content: bytes = b"x") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        archive.writestr(entry, content)
        archive.writestr("main.py", MAIN)
    return made.getvalue()


def doubled() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("main.py", MAIN)
        archive.writestr("main.py", b"import os\n")
    return made.getvalue()


def patched(raw: bytes, at: dict[bytes, int], layout: str, value: int) -> bytes:
    """Overwrite a number in an entry's two headers; `at` gives its place behind each signature."""
    changed = bytearray(raw)
    for signature, offset in at.items():
        struct.pack_into(layout, changed, changed.find(signature) + offset, value)
    return bytes(changed)


def locked() -> bytes:
    return patched(packed({"main.py": MAIN}), {b"PK\x03\x04": 6, b"PK\x01\x02": 8}, "<H", 1)


def lying(size: int) -> bytes:
    return patched(packed({"main.py": MAIN * 50}), {b"PK\x03\x04": 22, b"PK\x01\x02": 24}, "<I", size)


#: By name: the archive, and a word of what must be said of it.
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "climbs": (lambda: named("../../etc/cron.d/x"), "leads out"),
    "absolute": (lambda: named("/etc/passwd"), "root of a disk"),
    "drive": (lambda: named("C:/boot.ini"), "root of a disk"),
    "link": (lambda: named("main", mode=stat.S_IFLNK | 0o777, content=b"/etc/passwd"), "link"),
    "device": (lambda: named("null", mode=stat.S_IFCHR | 0o666), "device"),
    "bomb": (lambda: packed({"main.py": MAIN, "zeros": bytes(3_000_000)}), "unpacks to far more"),
    "large bomb": (lambda: packed({"main.py": MAIN, "zeros": bytes(60_000_000)}), "larger than"),
    "says less": (lambda: lying(10), "another size"),
    "says more": (lambda: lying(90_000), "another size"),
    "10,000 files": (lambda: packed({f"{n}.py": b"" for n in range(10_000)}), "too many"),
    "encrypted": (locked, "without a password"),
    "twice": (doubled, "main.py"),
    "two cases": (lambda: packed({"main.py": MAIN, "Main.py": MAIN}), "main.py"),
    "file and folder": (lambda: packed({"main.py": MAIN, "main.py/x": MAIN}), "main.py"),
    "bzip2": (lambda: packed({"main.py": MAIN}, zipfile.ZIP_BZIP2), "ordinary zip"),
    "cut off": (lambda: packed({"main.py": MAIN})[:-9], "zip archive"),
    "no archive": (lambda: MAIN, "zip archive"),
    "empty": (lambda: packed({}), "no file to run"),
    "deep": (lambda: packed({"main.py": MAIN, "a/" * 30 + "b": b""}), "too deep"),
    "right to left name": (lambda: named("\u202egnp.py"), "invisible"),
}
