"""What needs an environment or a data set. Apps further up know it; they register who tells."""

from collections.abc import Callable, Sequence

from .models import DataSet, Environment

Offered = Environment | DataSet
UsersOf = Callable[[Offered], Sequence[str]]
_providers: list[UsersOf] = []


def register_use(provider: UsersOf) -> None:
    """Name the function that returns the titles of what needs one; call it from `AppConfig.ready()`."""
    if provider not in _providers:
        _providers.append(provider)


def needed_by(target: Offered) -> list[str]:
    """Return the titles of what needs `target` now."""
    return [title for provider in _providers for title in provider(target)]
