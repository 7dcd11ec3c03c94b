"""What is told of an environment that failed."""

import pytest

from infra.agent.environments import last_lines


@pytest.mark.parametrize(
    ("output", "most", "kept"),
    [
        ("", 10, ""),
        ("one\n\n  two  \n", 100, "one\n  two"),
        ("first\nsecond\nthird", 12, "second\nthird"),
        ("first\nsecond\nthird", 11, "third"),
        ("a line that is too long", 6, "a line"),
        ("nul\0here", 20, "nulhere"),
        ("\n".join(map(str, range(100))), 4000, "\n".join(map(str, range(80, 100)))),
    ],
)
def test_the_last_whole_lines_are_kept(output: str, most: int, kept: str) -> None:
    assert last_lines(output, most) == kept
