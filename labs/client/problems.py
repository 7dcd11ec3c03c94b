"""What goes wrong, in words for the terminal, and the exit code that says it to scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OK = 0
JOB_FAILED = 1
"""The job that was followed did not succeed."""
USAGE = 2
"""The command line, or a file that it names, is wrong."""
REFUSED = 3
"""The campus refused; its words say why and what to do."""
SIGNED_OUT = 4
UNREACHABLE = 5
INTERRUPTED = 130

MAX_HELPERS = 5


class ClientError(Exception):
    """Ends the command. `lines` are shown on standard error, the first after "error: "."""

    def __init__(self, exit_code: int, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.exit_code = exit_code
        self.lines = lines


def usage_error(*lines: str) -> ClientError:
    """Something to correct in what was typed."""
    return ClientError(USAGE, *lines)


def refusal(status: int, problem: Mapping[str, Any]) -> ClientError:
    """What the campus answered (RFC 9457): its detail, each field with the fix, and who can help."""
    if status == 401:
        return ClientError(SIGNED_OUT, "you are not signed in, or your token has ended: run `campus login`")
    if status >= 500:
        return ClientError(UNREACHABLE, f"the campus cannot answer now ({status}): {_summary(problem)}")
    lines = [_summary(problem) or f"the campus refused ({status})"]
    for error in _objects(problem.get("errors")):
        field, detail = error.get("field"), error.get("detail")
        lines.append(f"  {field}: {detail}" if field else f"  {detail}")
    helpers = _objects(problem.get("helpers"))
    if helpers:
        lines.append("Who can help:")
        lines += [f"  {helper.get('name', '')} <{helper.get('email', '')}>" for helper in helpers[:MAX_HELPERS]]
    return ClientError(REFUSED, *lines)


def _summary(problem: Mapping[str, Any]) -> str:
    title, detail = (str(problem.get(name) or "").rstrip(".") for name in ("title", "detail"))
    return f"{title}: {detail}" if title and detail and title != detail else detail or title


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
