"""Structured logs: JSON in production, readable lines elsewhere."""

from typing import Any

import structlog

from .environment import PRODUCTION, TESTING, env

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.format_exc_info,
]
_RENDERER = structlog.processors.JSONRenderer() if PRODUCTION else structlog.dev.ConsoleRenderer(colors=False)

_CHATTER = ("django_structlog", "celery.beat", "celery.worker.strategy", "celery.app.trace", "httpx")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "campus": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": _RENDERER,
            "foreign_pre_chain": _SHARED,
        }
    },
    # Heartbeats and cycles come every two seconds: a line for each would bury what matters. The proxy logs requests.
    "loggers": {name: {"level": env.str("CAMPUS_CHATTER_LEVEL", "WARNING")} for name in _CHATTER},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "campus"}},
    "root": {"handlers": ["console"], "level": env.str("CAMPUS_LOG_LEVEL", "WARNING" if TESTING else "INFO")},
}

structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_SHARED,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
