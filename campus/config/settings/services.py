"""PostgreSQL, Redis, Channels and Celery: where they are and how we use them."""

from kombu import Exchange, Queue

from .environment import STATE_DIR, TESTING, env

DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres://postgres@/campus")}
DATABASES["default"]["ENGINE"] = "campus.core.postgres"
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})
if env.bool("DATABASE_KEEP_PLANS", True):
    # Joins of ten tables take PostgreSQL longer to plan than to answer: docs/decisions/0008.
    DATABASES["default"]["OPTIONS"] |= {"server_side_binding": True, "prepare_threshold": 3}
if not TESTING:
    # Under ASGI every request may come on another thread: a pool, not one connection a thread.
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": env.int("DATABASE_POOL_MIN", 1),
        "max_size": env.int("DATABASE_POOL_MAX", 16),
        "timeout": 10,
    }

REDIS_URL = env.str("REDIS_URL", "redis://127.0.0.1:6379/0")

CACHES = {
    "default": {
        "BACKEND": "campus.core.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": env.str("CAMPUS_KEY_PREFIX", "campus"),
    }
}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "campus.core.channel_layer.ChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": env.str("CAMPUS_KEY_PREFIX", "campus")},
    }
}

# Celery carries nudges only (docs/decisions/0003): early acknowledgement, no results, short lives.
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": env.str("CAMPUS_KEY_PREFIX", "campus") + ":",
    "socket_keepalive": True,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1}
CELERY_TASK_DEFAULT_QUEUE = "campus"
CELERY_TASK_QUEUES = [
    Queue("campus", Exchange("campus"), routing_key="campus"),
    Queue("scheduler", Exchange("scheduler"), routing_key="scheduler"),
]
CELERY_TASK_ROUTES = {"labs.scheduling.*": {"queue": "scheduler"}}
CELERY_TIMEZONE = "Asia/Seoul"
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "beat-schedule")
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
