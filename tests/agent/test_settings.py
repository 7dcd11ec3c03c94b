"""The agent's environment is read once, and every mistake in it is named at once."""

from pathlib import Path

import pytest

from infra.agent.settings import SettingsError, read


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    token = tmp_path / "token"
    token.write_text("secret-token\n")
    return {
        "CAMPUS_NODE_NAME": "yongin-01",
        "CAMPUS_NODE_TOKEN_FILE": str(token),
        "CAMPUS_NODE_API_URL": "https://campus.example/",
        "CAMPUS_NODE_STATE": str(tmp_path),
    }


def test_four_settings_are_enough(environ: dict[str, str]) -> None:
    settings = read(environ)
    assert (settings.token, settings.api_url, settings.slots) == ("secret-token", "https://campus.example", 0)


def test_real_gpus_are_shared_only_where_it_is_said(environ: dict[str, str]) -> None:
    usual = read(environ)
    assert (usual.share_gpus, usual.mps_pipe) == (False, None)
    said = read(environ | {"CAMPUS_NODE_SHARE_GPUS": "1", "CAMPUS_NODE_MPS_PIPE": "/srv/mps"})
    assert (said.share_gpus, said.mps_pipe) == (True, Path("/srv/mps"))


def test_the_gpus_of_a_machine_are_divided_among_its_agents(environ: dict[str, str]) -> None:
    assert read(environ).gpu_part == (1, 1)
    assert read(environ | {"CAMPUS_NODE_GPU_PART": "2/3"}).gpu_part == (2, 3)


def test_what_is_missing_is_said_all_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        read({})
    assert [line.split(":")[0] for line in str(raised.value).splitlines()] == [
        "set CAMPUS_NODE_NAME",
        "set CAMPUS_NODE_TOKEN_FILE",
        "set CAMPUS_NODE_API_URL",
        "set CAMPUS_NODE_STATE",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAMPUS_NODE_NAME", "../etc"),
        ("CAMPUS_NODE_TOKEN_FILE", "/nowhere/token"),
        ("CAMPUS_NODE_API_URL", "campus.example"),
        ("CAMPUS_NODE_SLOTS", "two"),
        ("CAMPUS_NODE_SLOTS", "-1"),
        ("CAMPUS_NODE_CPUS", "nan"),
        ("CAMPUS_NODE_MEMORY_MIB", "1e3"),
        ("LABS_ALLOW_UNCONFINED", "maybe"),
        ("CAMPUS_NODE_SHARE_GPUS", "half"),
        ("CAMPUS_NODE_GPU_PART", "3/2"),
        ("CAMPUS_NODE_GPU_PART", "0/2"),
        ("CAMPUS_NODE_GPU_PART", "half"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read(environ | {name: value})


def test_the_token_is_in_no_representation(environ: dict[str, str]) -> None:
    assert "secret-token" not in repr(read(environ | {"REDIS_URL": "redis://:secret-token@127.0.0.1/0"}))
