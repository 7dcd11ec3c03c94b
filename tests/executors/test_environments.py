"""Package environments: built once, whole or not at all, and read-only in the sandbox."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.executors import environments
from infra.executors.contract import EnvironmentBuildFailed, EnvironmentSpec
from infra.executors.local.node import find_interpreter
from tests.executors.support import play

pytestmark = pytest.mark.sandbox

PROJECT = Path(__file__).resolve().parents[2]
PYTHON = find_interpreter()
BUILD = """
import sys
from pathlib import Path
from infra.executors import environments
from infra.executors.contract import EnvironmentSpec
from infra.executors.local.node import find_interpreter
root, requirements = sys.argv[1:]
base = find_interpreter()
sys.stdin.read(1)
print(environments.prepare(Path(root), EnvironmentSpec(requirements, base.minor), base).built_at)
"""


def make_wheel(folder: Path, name: str = "tinylab", pth: str = "") -> str:
    """A wheel of a package with one module and one program; its line for a requirements file."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "VALUE = 42\ndef main():\n    print('program', VALUE)\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-run = {name}:main\n",
    }
    if pth:
        files[f"{name}.pth"] = pth
    rows = []
    for file, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{file},sha256={digest},{len(text)}")
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
    return f"{name} @ {path.as_uri()} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_an_environment_is_built_listed_and_used_by_a_run(executor, tmp_path):
    spec = EnvironmentSpec(f"# the lab\n{make_wheel(tmp_path)}\n", PYTHON.minor)
    built = executor.prepare(spec)
    assert built.digest == spec.digest
    assert built.packages == (("tinylab", "1.0"),)
    assert built.python_version == PYTHON.version
    assert built.size_bytes > 0
    assert executor.prepare(spec) == built  # the same build, to the second and the byte
    played = play(
        executor,
        """
        import subprocess, sys, tinylab
        print(tinylab.VALUE, sys.prefix, tinylab.__cached__ and __import__("os").path.exists(tinylab.__cached__))
        print(tinylab.main.__code__.co_filename)
        subprocess.run(["tinylab-run"])
        """,
        environment_digest=spec.digest,
    )
    site = f"/env/lib/python{PYTHON.minor}/site-packages"
    assert played.log == f"42 /env True\n{site}/tinylab.py\nprogram 42\n"
    without = play(executor, "import tinylab")
    assert "No module named 'tinylab'" in without.log


def test_an_environment_without_packages_is_one_too(executor):
    spec = EnvironmentSpec("# nothing\n", PYTHON.minor)
    assert executor.prepare(spec).packages == ()
    assert play(executor, "import sys; print(sys.prefix)", environment_digest=spec.digest).log == "/env\n"


def test_nothing_of_a_package_runs_while_it_is_installed(tmp_path):
    mark = tmp_path / "ran"
    line = make_wheel(tmp_path, "sneaky", pth=f"import pathlib; pathlib.Path({str(mark)!r}).touch()\n")
    built = environments.prepare(tmp_path / "e", EnvironmentSpec(line, PYTHON.minor), PYTHON)
    assert not mark.exists()
    subprocess.run([built.path / "bin" / "python", "-c", ""], check=True)
    assert mark.exists()  # the control: it does run when that Python starts


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda line: line.split(" --hash")[0], "hash"),
        (lambda line: line[:-4] + "0000", "ash mismatch"),
        (lambda line: "no-such-file @ file:///nowhere/no_such_file-1.0-py3-none-any.whl --hash=sha256:" + "0" * 64, ""),
        (lambda line: line + "\n%%%", ""),
    ],
)
def test_a_build_that_fails_says_why_and_leaves_nothing(tmp_path, change, said):
    root = tmp_path / "e"
    with pytest.raises(EnvironmentBuildFailed) as raised:
        environments.prepare(root, EnvironmentSpec(change(make_wheel(tmp_path)), PYTHON.minor), PYTHON)
    assert said in str(raised.value)
    assert raised.value.output
    assert [path.suffix for path in root.iterdir()] == [".lock"]


def test_an_environment_for_another_python_is_refused(tmp_path):
    with pytest.raises(EnvironmentBuildFailed, match=r"for Python 3\.1,"):
        environments.prepare(tmp_path, EnvironmentSpec("", "3.1"), PYTHON)


def test_two_builders_at_once_build_once(tmp_path):
    line = make_wheel(tmp_path)
    command = [sys.executable, "-c", BUILD, str(tmp_path / "e"), line]
    builders = [
        subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for builder in builders:
        builder.stdin.write("g")
        builder.stdin.flush()
    times = {builder.communicate(timeout=60)[0] for builder in builders}
    assert [builder.returncode for builder in builders] == [0, 0, 0]
    assert len(times) == 1
    (folder,) = [path for path in (tmp_path / "e").iterdir() if path.is_dir()]
    manifest = json.loads((folder / environments.MANIFEST).read_text())
    assert manifest["packages"] == [["tinylab", "1.0"]]


def test_what_a_killed_builder_left_is_cleared_by_the_next(tmp_path):
    spec = EnvironmentSpec(make_wheel(tmp_path), PYTHON.minor)
    left = tmp_path / "e" / f"{spec.digest}.tmp-1"
    left.mkdir(parents=True)
    (left / "half").touch()
    built = environments.prepare(tmp_path / "e", spec, PYTHON)
    assert not left.exists()
    assert environments.find(tmp_path / "e", spec.digest) == built


@pytest.mark.parametrize("digest", ["", "..", "../" * 20, "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_a_digest_that_is_none_finds_nothing(tmp_path, digest):
    assert environments.find(tmp_path, digest) is None


def test_no_secret_of_the_agent_reaches_the_builder(monkeypatch, tmp_path):
    monkeypatch.setenv("NODE_TOKEN", "very-secret")
    seen = {name for name in os.environ if environments._PASSED_ON.match(name)}
    assert "PATH" in seen
    assert "NODE_TOKEN" not in seen
