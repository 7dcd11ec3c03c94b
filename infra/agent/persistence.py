"""Saying a thing until the campus has heard it, or until it is no longer ours to say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import structlog

from infra.agent.api import Unauthorised, Unreachable
from infra.agent.domain.pacing import retry_delays_s
from infra.agent.wire import ProtocolError

log = structlog.get_logger("infra.agent")

UNAUTHORISED_PAUSE_S = 5.0
Answer = TypeVar("Answer")


class GivenUp(Exception):
    """The event that ends the trying was set before an answer came."""


def insist(call: Callable[[], Answer], *, until: threading.Event, what: str) -> Answer:
    """The answer of `call`, however often it must be repeated while the campus is away. Raises GivenUp.

    What cannot be mended by repeating (`NotOurs`, `LogGap`, `Rejected`) is raised as it comes.
    """
    delays = retry_delays_s()
    while not until.is_set():
        try:
            return call()
        except Unauthorised as error:
            say_token_refused(error)
            pause_s = UNAUTHORISED_PAUSE_S
        except (Unreachable, ProtocolError) as error:
            pause_s = next(delays)
            log.warning("no use of the campus's answer, trying again", what=what, why=str(error), pause_s=pause_s)
        until.wait(pause_s)
    raise GivenUp(what)


def say_token_refused(error: Unauthorised) -> None:
    """Loudly, for the operator: nothing goes on until it is mended."""
    log.error("the campus refuses this node's token: is CAMPUS_NODE_TOKEN_FILE current?", said=str(error))
