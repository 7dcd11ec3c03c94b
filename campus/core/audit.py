"""Writing the audit trail: services call `record` inside the transaction of what they change."""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any

from django.db.models import Model

from .models import AuditEntry

client_ip: ContextVar[str | None] = ContextVar("client_ip", default=None)


def record(
    *,
    actor: Any,
    verb: str,
    target: Model,
    subject: Any = None,
    scope_path: Iterable[int] = (),
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Append that `actor` did `verb` to `target`, which belongs to `subject` and concerns the scopes in `scope_path`.

    `actor` None means the platform itself. `changes` maps a field to (before, after); values become text
    unless JSON knows them.
    """
    plain = {
        name: [_plain(before), _plain(after)] for name, (before, after) in (changes or {}).items() if before != after
    }
    return AuditEntry.objects.create(
        actor=actor,
        actor_label=str(actor) if actor else "",
        verb=verb,
        object_type=target._meta.label_lower,
        object_id=str(target.pk),
        object_label=str(target)[:200],
        subject=subject,
        scope_path=list(scope_path),
        changes=plain,
        reason=reason,
        ip=client_ip.get(),
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None | list | dict) else str(value)
