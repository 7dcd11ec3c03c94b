"""The channel layer: Redis's publish and subscribe, with many groups told in one round trip."""

from collections.abc import Iterable
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer


class ChannelLayer(RedisPubSubChannelLayer):
    """As the library's. A change is told to several groups, each of which costs it a round trip of its own."""

    async def tell_groups(self, nudges: Iterable[tuple[str, str]]) -> None:
        """Send to each of these (group, type of message), in this order, in one round trip a server."""
        layer = self._get_layer()
        by_shard: dict[Any, list[tuple[str, bytes]]] = {}
        for group, kind in nudges:
            channel = layer._get_group_channel_name(group)
            by_shard.setdefault(layer._get_shard(channel), []).append((channel, self.serialize({"type": kind})))
        for shard, messages in by_shard.items():
            async with shard._lock:
                shard._ensure_redis()
                pipeline = shard._redis.pipeline(transaction=False)
                for channel, message in messages:
                    pipeline.publish(channel, message)
                await pipeline.execute()
