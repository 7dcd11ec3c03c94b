"""The test cases that a suite's sources hold, found without running them, so that one that stays silent fails."""

import ast
from dataclasses import dataclass


class BadTests(ValueError):
    """Sources that cannot be tests: `code` is syntax, doubled, weights or too_many; `at` a line or a name.

    `part` is the source that is wrong: visible or hidden.
    """

    def __init__(self, code: str, at: str, part: str = "visible") -> None:
        super().__init__(f"{code} in {part}: {at}")
        self.code, self.at, self.part = code, at, part


@dataclass(frozen=True, slots=True)
class Case:
    """A function `test_…`. `title` is its docstring's first line, `weight` what `WEIGHTS` says, else 1."""

    name: str
    title: str
    weight: int
    is_visible: bool


MOST = 200


def cases_of(visible: str, hidden: str) -> tuple[Case, ...]:
    """List the cases of both sources in their order. Raises BadTests."""
    found: list[Case] = []
    for source, is_visible in ((visible, True), (hidden, False)):
        part = "visible" if is_visible else "hidden"
        tree = _parsed(source, part)
        weights = _weights(tree, part)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                if any(case.name == node.name for case in found):
                    raise BadTests("doubled", node.name, part)
                title = (ast.get_docstring(node) or "").strip().partition("\n")[0][:160]
                found.append(Case(node.name, title, weights.pop(node.name, 1), is_visible))
        if weights:
            raise BadTests("weights", next(iter(weights)), part)
    if len(found) > MOST:
        raise BadTests("too_many", str(MOST), "hidden" if hidden.strip() else "visible")
    return tuple(found)


def _parsed(source: str, part: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadTests("syntax", str(getattr(error, "lineno", None) or 1), part) from error


def _weights(tree: ast.Module, part: str) -> dict[str, int]:
    """`WEIGHTS = {"test_a": 2}` at the top of the source."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "WEIGHTS" for to in node.targets):
            try:
                said = ast.literal_eval(node.value)
            except ValueError:
                raise BadTests("weights", str(node.lineno), part) from None
            if not isinstance(said, dict) or not all(
                isinstance(name, str) and type(weight) is int and 0 < weight <= 1000 for name, weight in said.items()
            ):
                raise BadTests("weights", str(node.lineno), part)
            return dict(said)
    return {}
