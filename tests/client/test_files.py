"""What goes up, what comes down, and where the token lies."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from labs.client import credentials
from labs.client.credentials import Credentials
from labs.client.downloads import target_of
from labs.client.problems import SIGNED_OUT, USAGE, ClientError
from labs.client.sources import as_texts, gather, is_one_zip, zipped


def make(folder: Path, **files: bytes) -> None:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_a_folders_files_come_by_their_path_in_it(tmp_path: Path) -> None:
    for name in ("main.py", "pkg/net.py", ".git/config", "pkg/__pycache__/net.pyc", ".env", "자료.csv", "old.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link.py").symlink_to("/etc/passwd")
    assert sorted(gather([tmp_path])) == ["main.py", "pkg/net.py", "자료.csv"]


def test_a_file_comes_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("x")
    assert gather([tmp_path / "train.py"]) == {"train.py": b"x"}


@pytest.mark.parametrize("kind", ["absent", "empty", "twice", "many", "large"])
def test_what_cannot_be_submitted_is_named(tmp_path: Path, kind: str) -> None:
    paths = [tmp_path / "absent.py"]
    if kind == "empty":
        paths = [tmp_path]
    elif kind == "twice":
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "main.py").write_text(name)
        paths = [tmp_path / "a" / "main.py", tmp_path / "b" / "main.py"]
    elif kind == "many":
        for number in range(201):
            (tmp_path / f"{number}.py").write_text("")
        paths = [tmp_path]
    elif kind == "large":
        (tmp_path / "data.bin").write_bytes(bytes(5 * 1024**2))
        paths = [tmp_path]
    with pytest.raises(ClientError) as raised:
        gather(paths)
    assert raised.value.exit_code == USAGE


def test_what_is_no_text_goes_as_a_zip(tmp_path: Path) -> None:
    assert as_texts({"a.py": "가".encode()}) == {"a.py": "가"}
    assert as_texts({"a.py": b"\xff"}) is None
    assert as_texts({"a.py": b"a\0b"}) is None
    with zipfile.ZipFile(io.BytesIO(zipped({"a.py": b"\xff"}))) as bundle:
        assert bundle.read("a.py") == b"\xff"
    (tmp_path / "lab.zip").write_bytes(b"")
    assert is_one_zip([tmp_path / "lab.zip"])
    assert not is_one_zip([tmp_path / "lab.zip", tmp_path / "lab.zip"])


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../../x", "a\\b", "a\0b", "out/link/x"])
def test_an_artifact_never_leaves_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to("/tmp")  # noqa: S108
    with pytest.raises(ClientError):
        target_of(tmp_path.resolve(), path)


def test_an_artifact_goes_below_the_folder(tmp_path: Path) -> None:
    assert target_of(tmp_path, "out/모델.pt") == tmp_path / "out" / "모델.pt"


def test_the_token_lies_where_only_its_owner_reads_it(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    path = credentials.save(Credentials("https://campus.example", "secret"), environ)
    path.chmod(0o644)
    path = credentials.save(Credentials("https://campus.example", "newer"), environ)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["credentials.json"]
    assert credentials.load(environ) == Credentials("https://campus.example", "newer")
    assert "newer" not in repr(credentials.load(environ))
    credentials.forget(environ)
    with pytest.raises(ClientError) as raised:
        credentials.load(environ)
    assert raised.value.exit_code == SIGNED_OUT


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "CAMPUS_URL": "https://other.example/", "CAMPUS_TOKEN": "t"}
    credentials.save(Credentials("https://campus.example", "secret"), environ)
    assert credentials.load(environ) == Credentials("https://other.example", "t")


def test_a_broken_file_says_what_to_do(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    path = credentials.path_of(environ)
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(ClientError, match="campus login"):
        credentials.load(environ)


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [
        ("https://campus.example/", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://campus.example", False),
        ("campus.example", False),
        ("ftp://campus.example", False),
        ("https://", False),
    ],
)
def test_a_password_goes_nowhere_in_the_clear(url: str, is_taken: bool) -> None:
    if is_taken:
        assert credentials.clean_url(url, may_be_plain=False) == url.rstrip("/")
    else:
        with pytest.raises(ClientError):
            credentials.clean_url(url, may_be_plain=False)
