"""The app's configuration."""

from django.apps import AppConfig


class PoolConfig(AppConfig):
    name = "infra.pool"
