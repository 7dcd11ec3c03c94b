"""How many requests a minute the REST API takes from one person."""

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.throttling import BaseThrottle

WINDOW_S = 60


class PerMinute(BaseThrottle):
    """At most `API_REQUESTS_PER_MINUTE` of each person, counted from full minute to full minute over all web processes.

    A program that loops is told to wait; it takes no worker's time from the others. Redis counts, so a lost Redis
    lets everybody through rather than nobody.
    """

    def allow_request(self, request: Any, view: Any) -> bool:
        """Count the request; False when it is one too many. Whoever is not signed in was refused before."""
        if request.user.pk is None:
            return True
        key = f"api-minute:{request.user.pk}:{int(time.time() // WINDOW_S)}"
        try:
            count = cache.incr(key)
        except ValueError:  # the first of this minute
            cache.add(key, 1, timeout=2 * WINDOW_S)
            return True
        return count <= settings.API_REQUESTS_PER_MINUTE

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return WINDOW_S - time.time() % WINDOW_S
