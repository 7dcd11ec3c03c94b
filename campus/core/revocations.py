"""Telling a person's open websockets that what the person may see changed: each looks again, and closes if it must."""

from django.db import transaction

from .courier import carry

ACCESS_CHANGED = "access_changed"


def access_group(user_id: int) -> str:
    """The group of all websockets that one person has open."""
    return f"access-of.{user_id}"


def tell_access_changed(user_id: int) -> None:
    """Have the person's websockets check again once the transaction is committed. Call it inside one."""
    transaction.on_commit(lambda: carry([access_group(user_id)], ACCESS_CHANGED), robust=True)
