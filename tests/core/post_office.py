"""A real SMTP server on loopback for tests: it keeps what it took, and refuses, stalls or goes away when told to."""

import contextlib
import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

SMTP = "django.core.mail.backends.smtp.EmailBackend"


class PostOffice:
    """Keeps letters in `letters`. `refuse` maps an address to the answer it gets; `answer` is given to every letter."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.refuse: dict[str, str] = {}
        self.answer = "250 taken"
        self.port = _free_port()
        self._controller: Any = None

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            letter = message_from_bytes(envelope.original_content, policy=policy.default)
            letter["X-To"] = ", ".join(envelope.rcpt_tos)
            self.letters.append(letter)
        return self.answer

    def open(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def close(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def texts(self, letter: EmailMessage) -> tuple[str, str]:
        """The plain text and the HTML of a letter."""
        plain, html = letter.get_body(("plain",)), letter.get_body(("html",))
        assert plain is not None
        assert html is not None
        return plain.get_content(), html.get_content()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def post_office(settings: Any) -> Iterator[PostOffice]:
    """An open post office that Django's own SMTP backend sends to."""
    office = PostOffice()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", office.port
    settings.EMAIL_TIMEOUT = 2
    office.open()
    try:
        yield office
    finally:
        office.close()


@contextlib.contextmanager
def silent_server(settings: Any) -> Iterator[None]:
    """A server that accepts connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)
        settings.EMAIL_BACKEND, settings.EMAIL_HOST = SMTP, "127.0.0.1"
        settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = listening.getsockname()[1], 0.2
        yield
