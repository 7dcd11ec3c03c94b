"""What other apps may use of the pool, beside its models."""

from .services import (
    EnvironmentReport,
    GpuReport,
    Hello,
    drain,
    mark_silent_nodes_down,
    record_environment,
    record_heartbeat,
    record_hello,
    register_node,
    renew_token,
    resume,
    token_digest,
)

__all__ = [
    "EnvironmentReport",
    "GpuReport",
    "Hello",
    "drain",
    "mark_silent_nodes_down",
    "record_environment",
    "record_heartbeat",
    "record_hello",
    "register_node",
    "renew_token",
    "resume",
    "token_digest",
]
