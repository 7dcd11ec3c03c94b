"""ASGI: Django for HTTP, Channels for websockets."""

import gc
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campus.config.settings")

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler


class OneThreadHandler(ASGIHandler):
    """Takes a request through middleware and view in one step on its thread.

    Nothing of ours between here and a view awaits anything. Django's own handler goes back and forth between its thread
    and the event loop where a middleware is written for either, five times a request, and each change waits for its
    turn on a busy machine.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)
        # As the request's other steps: on the one thread that holds its database connection.
        self._middleware_chain: Any = sync_to_async(self._middleware_chain, thread_sensitive=True)


django.setup(set_prefix=False)
django_application = OneThreadHandler()

from channels.auth import AuthMiddlewareStack  # noqa: E402  (the app registry must be ready first)
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import re_path  # noqa: E402

from . import urls  # noqa: E402, F401  (else the first request loads them, behind the freeze below)
from .routing import websocket_urlpatterns  # noqa: E402


async def nowhere(_scope: Any, receive: Any, send: Any) -> None:
    """Refuse a websocket whose address leads to nothing; the router alone would fail, with a traceback for each."""
    await receive()
    await send({"type": "websocket.close"})


_sockets: Any = URLRouter([*websocket_urlpatterns, re_path("", nowhere)])  # type: ignore[arg-type]
application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(_sockets)),
    }
)

# What is loaded by now stays: a full collection that looks at all of it stops every request for a tenth of a second.
gc.freeze()
