"""Telling open boards that a verdict or a flag changed; what changed is read from the database (docs/live.md)."""

from django.db import transaction

from campus.core.courier import carry


def board_group(session_id: int) -> str:
    """The group of those who watch the roll of one class."""
    return f"roll.{session_id}"


def tell_board(*session_ids: int) -> None:
    """Have the boards of these classes look again once the transaction is committed."""
    groups = [board_group(session_id) for session_id in session_ids]
    transaction.on_commit(lambda: carry(groups), robust=True)
