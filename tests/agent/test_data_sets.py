"""Data sets come once, whole and checked, or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import threading
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from infra.agent.archives import BadArchive, unpack
from infra.agent.datasets import Cut, DataSetFailed, DataSets
from infra.agent.wire import DataSetOrder


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as bundle:
        for name, content in entries:
            bundle.writestr(name, content)
    return buffer.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def order_of(archive: bytes, **more: object) -> DataSetOrder:
    given = {"slug": "digits", "digest": hashlib.sha256(archive).hexdigest(), "size_bytes": len(archive)} | more
    return DataSetOrder(**given)  # type: ignore[arg-type]


def giving(archive: bytes, fetched: list[str] | None = None) -> Callable[[str, IO[bytes], int], None]:
    def fetch(digest: str, target: IO[bytes], _most: int) -> None:
        if fetched is not None:
            fetched.append(digest)
        target.write(archive)

    return fetch


def never() -> bool:
    return False


def lying() -> bytes:
    """An archive whose entry announces one byte and unpacks to many."""
    whole = bytearray(zipped(("big.txt", b"x" * 50_000)))
    size = (50_000).to_bytes(4, "little")
    while (at := whole.find(size)) >= 0:
        whole[at : at + 4] = (1).to_bytes(4, "little")
    return bytes(whole)


HOSTILE = {
    "a path that climbs": zipped(("../out.txt", b"x")),
    "an absolute path": zipped(("/etc/cron.d/x", b"x")),
    "a dot": zipped(("a/./b", b"x")),
    "a backslash": zipped(("a\\b.txt", b"x")),
    "no name": zipped(("name", b"x")).replace(b"name", b"\0ame"),
    "a line break": zipped(("a\nb.txt", b"x")),
    "a direction mark": zipped(("a\u202eb.txt", b"x")),
    "a link": zipped((link("passwd"), b"/etc/passwd")),
    "names that differ by case": zipped(("Data.csv", b"x"), ("data.CSV", b"y")),
    "a file that is a folder too": zipped(("a", b"x"), ("a/b", b"y")),
    "a bomb": zipped(("zeros", bytes(80 * 1024 * 1024))),
    "a size that lies": lying(),
    "another packing": zipped(("a", b"x" * 100), method=zipfile.ZIP_LZMA),
    "no zip": b"this is no zip",
    "half a zip": zipped(("a.txt", os.urandom(5000)))[:-60],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_nothing_outside(name: str, tmp_path: Path) -> None:
    archive, target = tmp_path / "archive", tmp_path / "inner" / "target"
    archive.write_bytes(HOSTILE[name])
    target.mkdir(parents=True)
    with open(archive, "rb") as file, pytest.raises(BadArchive):
        unpack(file, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "inner"]
    assert [path.name for path in (tmp_path / "inner").iterdir()] == ["target"]


def test_a_data_set_is_fetched_once_and_lies_read_only(tmp_path: Path) -> None:
    archive = zipped(("train/0.csv", b"1,2"), ("읽어보세요.txt", "안녕".encode()), ("empty/", b""))
    sets, fetched = DataSets(tmp_path, cap_mib=10), []
    for _ in range(2):
        with sets.use(order_of(archive), fetch=giving(archive, fetched), is_cut=never) as folder:
            assert (folder / "train" / "0.csv").read_bytes() == b"1,2"
            assert (folder / "읽어보세요.txt").read_text(encoding="utf-8") == "안녕"
            assert stat.S_IMODE((folder / "train" / "0.csv").stat().st_mode) == 0o444
    assert len(fetched) == 1


def test_korean_names_lie_there_as_they_are_typed_whoever_packed_them(tmp_path: Path) -> None:
    windows = zipped(("AAAAAA.csv", b"1")).replace(b"AAAAAA", "데이터".encode("cp949"))
    apple = zipped((unicodedata.normalize("NFD", "데이터.csv"), b"2"))
    for archive, content in ((windows, b"1"), (apple, b"2")):
        with DataSets(tmp_path, cap_mib=10).use(order_of(archive), fetch=giving(archive), is_cut=never) as folder:
            assert (folder / "데이터.csv").read_bytes() == content


def test_another_digest_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    archive = zipped(("a.txt", b"x"))
    sets = DataSets(tmp_path, cap_mib=10)
    wrong = order_of(archive, digest="0" * 64)
    with pytest.raises(DataSetFailed, match="digest"), sets.use(wrong, fetch=giving(archive), is_cut=never):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [f"{'0' * 64}.lock"]


def test_a_digest_that_is_a_path_is_refused(tmp_path: Path) -> None:
    order = DataSetOrder("digits", "../../etc/passwd", 1)
    with (
        pytest.raises(DataSetFailed, match="no digest"),
        DataSets(tmp_path, cap_mib=1).use(order, fetch=giving(b""), is_cut=never),
    ):
        pass


def test_many_that_want_it_at_once_fetch_it_once(tmp_path: Path) -> None:
    archive, fetched, seen = zipped(("a.txt", b"x")), [], []
    together = threading.Barrier(8)

    def want() -> None:
        sets = DataSets(tmp_path, cap_mib=10)  # one each: as agents of the same machine
        together.wait()
        with sets.use(order_of(archive), fetch=giving(archive, fetched), is_cut=never) as folder:
            seen.append((folder / "a.txt").read_bytes())

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (seen, len(fetched)) == ([b"x"] * 8, 1)


def test_the_longest_unused_goes_when_room_is_short_but_never_one_in_use(tmp_path: Path) -> None:
    sets = DataSets(tmp_path, cap_mib=1)
    archives = [zipped((f"{number}.bin", os.urandom(400_000))) for number in range(4)]
    orders = [order_of(archive) for archive in archives]
    for age, (order, archive) in enumerate(zip(orders[:2], archives[:2], strict=True)):
        with sets.use(order, fetch=giving(archive), is_cut=never):
            pass
        os.utime(tmp_path / f"{order.digest}.lock", (1000 + age, 1000 + age))
    with (
        sets.use(orders[0], fetch=giving(archives[0]), is_cut=never) as in_use,
        sets.use(orders[2], fetch=giving(archives[2]), is_cut=never),
    ):
        assert in_use.is_dir()
        assert not (tmp_path / orders[1].digest).exists()
        with sets.use(orders[3], fetch=giving(archives[3]), is_cut=never) as beyond:
            assert beyond.is_dir()
            assert in_use.is_dir()


def test_who_waits_for_anothers_fetch_can_be_called_off(tmp_path: Path) -> None:
    archive = zipped(("a.txt", b"x"))
    is_fetching, may_end = threading.Event(), threading.Event()

    def slow(_digest: str, target: IO[bytes], _most: int) -> None:
        is_fetching.set()
        may_end.wait(10)
        target.write(archive)

    def first() -> None:
        with DataSets(tmp_path, cap_mib=1).use(order_of(archive), fetch=slow, is_cut=never):
            pass

    thread = threading.Thread(target=first)
    thread.start()
    assert is_fetching.wait(10)
    with (
        pytest.raises(Cut),
        DataSets(tmp_path, cap_mib=1).use(order_of(archive), fetch=giving(archive), is_cut=lambda: True),
    ):
        pass
    may_end.set()
    thread.join(10)
    assert not thread.is_alive()
