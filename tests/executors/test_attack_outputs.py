"""Programs that leave traps where their outputs are collected."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest

from infra.executors.contract import KIB, MIB, OutputCaps
from tests.executors.support import Recorder, spec_of

pytestmark = pytest.mark.sandbox


def test_links_pipes_sockets_and_second_names_are_never_followed(program):
    played = program("""
        import os, socket
        os.symlink("/etc/passwd", "link-to-file")
        os.symlink("/usr", "link-to-folder")
        os.symlink("/proc/self/environ", "link-to-proc")
        os.symlink("loop", "loop")
        open("first", "w").write("x")
        os.link("first", "second")
        os.mkfifo("pipe")
        socket.socket(socket.AF_UNIX).bind("socket")
        os.mkdir("folder")
        os.symlink("..", "folder/up")
        open("folder/good.txt", "w").write("good")
    """)
    assert played.ended.exit_code == 0, played.log
    assert played.contents == {"folder/good.txt": b"good"}
    assert played.skipped == {
        "first": "a file with several names",
        "second": "a file with several names",
        "folder/up": "a link",
        "link-to-file": "a link",
        "link-to-folder": "a link",
        "link-to-proc": "a link",
        "loop": "a link",
        "pipe": "no regular file",
        "socket": "no regular file",
    }


def test_a_source_replaced_by_a_link_or_hidden_behind_one_is_not_read(program):
    played = program("""
        import os
        os.remove("main.py")
        os.symlink("/etc/shadow", "main.py")
        os.rename("pkg", "moved")
        os.symlink("/etc", "pkg")
    """, files={"pkg/a.py": b"1"})  # fmt: skip
    assert played.contents == {"moved/a.py": b"1"}
    assert played.skipped == {"main.py": "a link", "pkg": "a link"}


def test_hostile_names_are_left_out_and_shown_harmless(program):
    played = program(r"""
        names = ["line\nbreak", "\x1b[2Jclear", "\u202egnp.exe", "back\\slash", " lead", "trail ", "-rf", "a b", "한글"]
        names += [b"not-utf8-\xff\xfe", "x" * 255, "<script>", "con", "%00", "..dots", "~"]
        for name in names: open(name, "w").write("x")
        try:
            open("y" * 300, "w")
        except OSError as error:
            print(error.strerror)
    """)
    assert played.log == "File name too long\n"
    assert set(played.contents) == {"-rf", "a b", "한글", "x" * 255, "<script>", "con", "%00", "~"}
    assert len(played.skipped) == 7
    assert all(name.isprintable() for name in played.skipped)
    assert "line\\nbreak" in played.skipped


def test_a_decomposed_korean_name_is_composed_and_its_twin_is_left_out(program):
    decomposed, composed = unicodedata.normalize("NFD", "결과"), "결과"
    assert decomposed != composed
    assert program(f"open({decomposed!r}, 'w').write('1')").contents == {composed: b"1"}
    twins = program(f"open({decomposed!r}, 'w').write('1'); open({composed!r}, 'w').write('2')")
    assert list(twins.contents) == [composed]
    assert "the same name twice" in twins.skipped.values()


def test_the_host_gets_no_name_of_the_runs_making(executor):
    run = executor.start(spec_of("open('evil name', 'w').write('x')"), Recorder())
    (output,) = run.wait().outputs
    assert output.path == "evil name"
    assert output.file.name == "0000"
    assert output.file.is_relative_to(executor._root / "runs")
    assert output.file.parent.stat().st_mode & 0o777 == 0o700
    run.close()


def test_deep_folders_are_not_walked_to_their_end(program):
    played = program("""
        import os
        os.makedirs("/".join("abcdefg"))
        open("/".join("abcdefg") + "/kept", "w").write("x")
        os.makedirs("/".join("abcdefgh"), exist_ok=True)
        open("/".join("abcdefgh") + "/lost", "w").write("x")
        for _ in range(5000):
            os.mkdir("d")
            os.chdir("d")
        open("bottom", "w").write("x")
    """)
    assert played.ended.exit_code == 0, played.log
    assert list(played.contents) == ["a/b/c/d/e/f/g/kept"]
    assert played.skipped == {
        "a/b/c/d/e/f/g/h": "deeper than 8 folders",
        "d/d/d/d/d/d/d/d": "deeper than 8 folders",
    }


def test_only_so_many_files_and_bytes_are_kept_and_the_rest_is_named(program):
    caps = OutputCaps(files=5, total=1 * MIB)
    many = program("for n in range(8): open(f'f{n}', 'w').write('x')", caps=caps)
    assert sorted(many.contents) == ["f0", "f1", "f2", "f3", "f4"]
    assert set(many.skipped) == {"f5", "f6", "f7"}
    big = program("open('a', 'wb').write(b'x' * 700_000); open('b', 'wb').write(b'x' * 700_000)", caps=caps)
    assert list(big.contents) == ["a"]
    assert big.skipped == {"b": "more than 1 MiB in all"}
    huge = program("for n in range(3000): open(f'f{n}', 'w')")
    assert len(huge.contents) == 200
    assert len(huge.ended.skipped) == 101
    assert huge.ended.skipped[-1] == ("…", "and 2700 more")


def test_a_file_of_a_gigabyte_of_holes_is_not_read(program):
    played = program("import os; os.truncate(os.open('hole', os.O_CREAT | os.O_RDWR), 10**9); open('ok', 'w')",
                     memory_bytes=2 * 10**9)  # fmt: skip
    assert list(played.contents) == ["ok"]
    assert "MiB in all" in played.skipped["hole"]


def test_unreadable_folders_and_files_are_read_all_the_same_and_nothing_breaks(program):
    played = program("""
        import os
        os.mkdir("closed"); open("closed/in", "w").write("x"); os.chmod("closed", 0)
        open("secret", "w").write("x"); os.chmod("secret", 0)
        os.chmod(".", 0)
    """)
    assert played.contents == {"closed/in": b"x", "secret": b"x"}


def test_hidden_files_and_caches_are_left_without_a_word(program):
    played = program("import os; os.makedirs('.git'); open('.git/x', 'w'); open('.env', 'w'); import pkg.a",
                     files={"pkg/a.py": b"1"})  # fmt: skip
    assert played.contents == {}
    assert played.ended.skipped == ()


def test_what_a_killed_run_had_written_is_kept(program):
    body = b"x" * (300 * KIB)
    played = program(
        "import time\nopen('epoch-1.bin', 'wb').write(b'x' * (300 << 10)); print(1); time.sleep(20)",
        during=lambda run, _: run.kill("enough"),
    )
    assert played.contents == {"epoch-1.bin": body}
    assert played.ended.outputs[0].sha256 == hashlib.sha256(body).hexdigest()
