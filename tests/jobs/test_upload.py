"""Zip uploads: what comes out of an honest one, and each kind of hostile one."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.jobs.domain.paths import BadFile
from labs.jobs.domain.upload import UploadLimits, unpack

LIMITS = UploadLimits(files=200, total_bytes=1024 * 1024)


def packed(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def with_entry(name: str, mode: int = 0, content: bytes = b"x") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entry = zipfile.ZipInfo("placeholder" if "\0" in name or "\\" in name else name)
        entry.external_attr = mode << 16
        archive.writestr(entry, content)
        archive.writestr("main.py", "print()")
    raw = made.getvalue()
    if "\0" in name or "\\" in name:
        raw = raw.replace(b"placeholder", name.encode().ljust(11, b"x")[:11])
    return raw


def twice(name: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(name, "2")
    return made.getvalue()


def encrypted() -> bytes:
    raw = bytearray(packed({"main.py": b"print()"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(signature) + offset
        raw[at] |= 1
    return bytes(raw)


def lying(claimed: int) -> bytes:
    """One entry whose directory claims another size than what comes out."""
    raw = bytearray(packed({"main.py": b"print('hello')" * 100}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", raw, raw.find(signature) + offset, claimed)
    return bytes(raw)


def broken() -> bytes:
    raw = bytearray(packed({"main.py": bytes(range(256)) * 50}, zipfile.ZIP_STORED))
    raw[500] ^= 0xFF
    return bytes(raw)


def overlapping() -> bytes:
    """Many entries that all point to the same bytes."""
    raw = packed({"a.py": b"0" * 100_000})
    directory_at = raw.rfind(b"PK\x01\x02")
    end_at = raw.rfind(b"PK\x05\x06")
    entry = raw[directory_at:end_at]
    entries = b"".join(entry.replace(b"a.py", f"{n:04}".encode()) for n in range(50))
    end = bytearray(raw[end_at:])
    struct.pack_into("<HHII", end, 8, 50, 50, len(entries), directory_at)
    return raw[:directory_at] + entries + bytes(end)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "absolute": (lambda: with_entry("/etc/passwd"), "absolute"),
    "drive": (lambda: with_entry("C:/x.py"), "absolute"),
    "parent": (lambda: with_entry("../x.py"), "parent"),
    "parent inside": (lambda: with_entry("a/../../x.py"), "parent"),
    "parent folder": (lambda: with_entry("../x/"), "parent"),
    "backslash": (lambda: with_entry("..\\..\\x.py"), "backslash"),
    "NUL in a name": (lambda: with_entry("main.py\0.sh"), "control_character"),
    "symbolic link": (lambda: with_entry("link", stat.S_IFLNK | 0o777, b"/etc/passwd"), "link"),
    "device": (lambda: with_entry("device", stat.S_IFCHR | 0o600), "link"),
    "named pipe": (lambda: with_entry("pipe", stat.S_IFIFO | 0o600), "link"),
    "same name": (lambda: twice("a.py"), "duplicate"),
    "same name but for case": (lambda: packed({"a.py": b"1", "A.PY": b"2"}), "duplicate"),
    "a file that is a folder": (lambda: packed({"a": b"1", "a/b.py": b"2"}), "file_is_folder"),
    "bomb by ratio": (lambda: packed({"zeros": bytes(900_000)}), "bomb"),
    "bomb by size": (lambda: packed({"zeros": bytes(50_000_000)}), "too_large"),
    "bomb in parts": (lambda: packed({f"{n}": bytes(range(256)) * 100 for n in range(60)}), "too_large"),
    "bomb by overlap": (overlapping, "too_large"),
    "claims less than it holds": (lambda: lying(10), "lying_size"),
    "claims more than it holds": (lambda: lying(9_000), "lying_size"),
    "201 files": (lambda: packed({f"{n}.py": b"" for n in range(201)}), "too_many_files"),
    "10,000 files": (lambda: packed({f"{n}.py": b"" for n in range(10_000)}), "too_many_files"),
    "deep": (lambda: packed({"a/" * 9 + "b.py": b""}), "too_deep"),
    "encrypted": (encrypted, "encrypted"),
    "bzip2": (lambda: packed({"main.py": b"print()"}, zipfile.ZIP_BZIP2), "method"),
    "lzma": (lambda: packed({"main.py": b"print()"}, zipfile.ZIP_LZMA), "method"),
    "damaged": (broken, "damaged"),
    "cut off": (lambda: packed({"main.py": b"print()"})[:-10], "not_a_zip"),
    "empty": (lambda: packed({}), "no_files"),
    "folders only": (lambda: packed({"a/": b"", "a/b/": b""}), "no_files"),
    "no zip": (lambda: b"#!/bin/sh\n", "not_a_zip"),
    "nothing": (lambda: b"", "not_a_zip"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused_with_the_reason(kind: str) -> None:
    make, code = HOSTILE[kind]
    with pytest.raises(BadFile) as error:
        unpack(io.BytesIO(make()), LIMITS)
    assert error.value.code == code


def test_an_honest_archive_gives_its_files_without_folders_and_litter() -> None:
    files = {"main.py": b"print()", "data/a.bin": bytes(range(256)), "한글.py": "print('안녕')".encode()}
    raw = packed({**files, "data/": b"", "__MACOSX/._main.py": b"litter"})
    assert unpack(io.BytesIO(raw), LIMITS) == files


def test_what_compresses_well_and_is_small_is_taken() -> None:
    assert unpack(io.BytesIO(packed({"zeros.csv": bytes(200_000)})), LIMITS) == {"zeros.csv": bytes(200_000)}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_an_archive_with_any_bytes_changed_unpacks_within_the_caps_or_is_refused(data: st.DataObject) -> None:
    raw = bytearray(packed({"main.py": b"print(1)\n" * 30, "a/b.txt": b"text"}))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        files = unpack(io.BytesIO(bytes(raw)), LIMITS)
    except BadFile:
        return
    assert sum(map(len, files.values())) <= LIMITS.total_bytes


def named(name: bytes) -> bytes:
    """A zip whose packer did not say how it writes names, as those of Windows and macOS do not."""
    raw = packed({"main.py": b"print()", "A" * len(name): b"x"})
    return raw.replace(b"A" * len(name), name)


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_korean_names_come_out_as_they_were_whoever_packed_them(encoding: str) -> None:
    files = unpack(io.BytesIO(named("자료/데이터 1.csv".encode(encoding))), LIMITS)
    assert set(files) == {"main.py", "자료/데이터 1.csv"}


def test_names_that_are_neither_utf8_nor_korean_are_read_as_the_format_says() -> None:
    assert set(unpack(io.BytesIO(named("café\xa0é.csv".encode("cp437"))), LIMITS)) == {"main.py", "café\xa0é.csv"}


def test_a_korean_name_may_not_lead_out_either() -> None:
    with pytest.raises(BadFile, match="parent"):
        unpack(io.BytesIO(named("../데이터.csv".encode("cp949"))), LIMITS)
