"""What is vendored: pinned, licensed, and without a trace of where it was fetched."""

import json
from pathlib import Path

CORE = Path(__file__).parents[2] / "campus/core"
VENDOR = CORE / "static/vendor"


def test_the_manifest_names_the_versions_that_the_lock_pins() -> None:
    lock = json.loads((CORE / "static_src/package-lock.json").read_text())["packages"]
    manifest = json.loads((VENDOR / "manifest.json").read_text())
    assert {name: lock[f"node_modules/{name}"]["version"] for name in manifest} == {
        name: entry["version"] for name, entry in manifest.items()
    }
    wanted = json.loads((CORE / "static_src/package.json").read_text())["devDependencies"]
    assert all(version[0].isdigit() for version in wanted.values()), "pinned exactly"


def test_every_vendored_package_brings_its_licence() -> None:
    names = {name.replace("/", "-").replace("@", "") for name in json.loads((VENDOR / "manifest.json").read_text())}
    assert names <= {path.stem for path in (VENDOR / "licences").iterdir()}


def test_the_lock_names_no_registry() -> None:
    assert "resolved" not in (CORE / "static_src/package-lock.json").read_text()


def test_the_korean_font_stays_under_3_mb() -> None:
    assert sum(path.stat().st_size for path in (VENDOR / "pretendard").glob("*.woff2")) < 3_000_000
