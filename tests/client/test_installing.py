"""The command as learners install it: from a checkout, without the campus."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkout = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "pyproject.toml", checkout)
    shutil.copytree(ROOT / "labs", checkout / "labs", ignore=shutil.ignore_patterns("__pycache__"))
    built = subprocess.run([sys.executable, "-c", BUILD], cwd=checkout, capture_output=True, text=True, check=True)
    return checkout / built.stdout.split()[-1]


def test_what_is_installed_is_the_command_and_nothing_of_the_campus(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        code = {name for name in packed.namelist() if ".dist-info/" not in name}
        (entry,) = [name for name in packed.namelist() if name.endswith("entry_points.txt")]
        scripts = configparser.ConfigParser()
        scripts.read_string(packed.read(entry).decode())
    assert code == {"labs/__init__.py", *(f"labs/client/{path.name}" for path in (ROOT / "labs/client").glob("*.py"))}
    assert scripts["console_scripts"]["campus"] == "labs.client.__main__:main"


def test_the_installed_command_runs(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    said = subprocess.run(
        [sys.executable, "-P", "-m", "labs.client", "submit", "--help"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--follow" in said.stdout
