"""Naming the fields of a service's error as the API calls them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from campus.core.errors import InvalidInput


@contextmanager
def renamed(names: Mapping[str, str]) -> Iterator[None]:
    """Let an InvalidInput leave with its fields under the API's names."""
    try:
        yield
    except InvalidInput as error:
        error.fields = {names.get(name, name): texts for name, texts in error.fields.items()}
        raise
