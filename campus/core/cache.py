"""A Redis cache that forgets instead of failing: a lost Redis may cost speed, never a page."""

from typing import Any

import redis
import structlog
from django.core.cache.backends.redis import RedisCache

logger = structlog.get_logger(__name__)


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache; when Redis cannot be reached, reads miss and writes are dropped."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except redis.RedisError as error:
            logger.warning("cache_unreachable", operation="get", error=str(error))
            return default

    def set(self, key: Any, value: Any, timeout: Any = 300, version: int | None = None) -> None:
        try:
            super().set(key, value, timeout, version)
        except redis.RedisError as error:
            logger.warning("cache_unreachable", operation="set", error=str(error))

    def add(self, key: Any, value: Any, timeout: Any = 300, version: int | None = None) -> bool:
        try:
            return super().add(key, value, timeout, version)
        except redis.RedisError as error:
            logger.warning("cache_unreachable", operation="add", error=str(error))
            return True

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Count up; 0 when nobody counts. Raises ValueError where the key is not there."""
        try:
            return int(super().incr(key, delta, version))
        except redis.RedisError as error:
            logger.warning("cache_unreachable", operation="incr", error=str(error))
            return 0

    def delete(self, key: Any, version: int | None = None) -> bool:
        try:
            return super().delete(key, version)
        except redis.RedisError as error:
            logger.warning("cache_unreachable", operation="delete", error=str(error))
            return False
