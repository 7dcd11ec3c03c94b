"""Why a file was not kept: a node's words in the reader's language."""

import ast
import re
from pathlib import Path

import pytest
from django.utils import translation

from infra.executors.domain import names
from infra.executors.local import outputs
from labs.jobs.node_words import why_not_kept

BAD_NAMES = ("a\nb", "a\\b", " a", "가" * 100, "a/" * 9 + "a")


def _said_by_the_collector() -> list[str]:
    """Every reason in its source, with 7 for each number."""
    found = []
    for node in ast.walk(ast.parse(Path(outputs.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_skip":
            texts = [part for part in ast.walk(node.args[1]) if isinstance(part, ast.JoinedStr)] or [
                part for part in ast.walk(node.args[1]) if isinstance(part, ast.Constant)
            ]
            found += [re.sub(r"\{[^}]*\}", "7", ast.unparse(text)).lstrip("f").strip("'\"") for text in texts]
    return found


SAID = [
    *_said_by_the_collector(),
    *(str(names.output_path_problem(name, max_depth=8)) for name in BAD_NAMES),
    "and 7 more",
    "it did not arrive in full",
]


def test_the_reasons_are_found() -> None:
    assert {"a link", "not readable", "more than 7 files", "deeper than 7 folders"} <= set(SAID)
    assert "None" not in SAID


@pytest.mark.parametrize("said", sorted(set(SAID)))
def test_every_reason_that_a_node_gives_is_said_in_korean(said: str) -> None:
    with translation.override("ko"):
        assert re.search("[가-힣]", why_not_kept(said))


def test_a_reason_that_is_not_known_stays_as_it_was_said() -> None:
    with translation.override("ko"):
        assert why_not_kept("100% new") == "100% new"
        assert why_not_kept("the campus refused it: 100%") == "캠퍼스가 받지 않았어요: 100%"
