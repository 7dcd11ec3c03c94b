"""Reading JSON bodies of the API: bounded, and free of what neither PostgreSQL nor UTF-8 can hold."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from .errors import TooLarge


class CampusJSONParser(BaseParser):
    """Parses JSON of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes, which Django itself enforces for forms only.

    Refuses names that come twice, of which only one would count, NaN and Infinity, and escapes of half a character,
    which would fail later, far from the sender.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Raises ParseError and TooLarge."""
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(most + 1)
        if len(body) > most:
            raise TooLarge(_("Send at most %(most)d MiB.") % {"most": most // 1024**2})
        try:
            said = json.loads(body.decode(), parse_constant=_refuse, object_pairs_hook=_once)
            if b"\\u" in body:
                json.dumps(said, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise ParseError(_("This is no JSON that can be read: %(why)s") % {"why": str(error)[:120]}) from error
        return said


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, value in pairs:
        if name in said:
            raise ValueError(f"“{name[:60]}” is there twice")
        said[name] = value
    return said


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")
