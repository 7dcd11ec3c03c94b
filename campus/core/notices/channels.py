"""The ways out of the house: e-mail, and phone messages through a provider's HTTP address. None of them knows a model.

A channel sends one message and says what became of it. What to do then (again, another way, give up) is the caller's.
"""

import contextlib
import smtplib
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, Self, TypeVar

import httpx
from django.core.mail import EmailMessage, get_connection


class Outcome(Enum):
    SENT = "sent"
    REFUSED = "refused"  # for good: this recipient, this message
    LATER = "later"  # this message may pass later
    AWAY = "away"  # the server itself cannot be used now; so it is for all others


@dataclass(frozen=True)
class Result:
    outcome: Outcome
    why: str = ""


SENT = Result(Outcome.SENT)


Message = TypeVar("Message", contravariant=True)


class Channel(Protocol[Message]):
    """Sends one message. Never raises: an error is a result."""

    def send(self, message: Message) -> Result: ...


class MailChannel:
    """E-mail over one connection of Django's configured backend; a context manager that closes it."""

    def __init__(self) -> None:
        self._connection = get_connection()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._drop()

    def send(self, message: EmailMessage) -> Result:
        """Send it. An answer of 5xx about recipient or content is for good; 4xx is for later."""
        try:
            self._connection.open()
            message.connection = self._connection
            message.send()
        except smtplib.SMTPRecipientsRefused as error:
            code = max(code for code, _text in error.recipients.values())
            return Result(Outcome.REFUSED if code >= 500 else Outcome.LATER, str(error)[:200])
        except smtplib.SMTPDataError as error:
            self._drop()
            return Result(Outcome.REFUSED if error.smtp_code >= 500 else Outcome.LATER, str(error)[:200])
        except OSError as error:  # SMTP's other errors are OSErrors, as a lost connection and a timeout are
            self._drop()
            return Result(Outcome.AWAY, repr(error)[:200])
        except ValueError as error:  # a header that cannot be
            return Result(Outcome.REFUSED, repr(error)[:200])
        return SENT

    def _drop(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.close()


@dataclass(frozen=True)
class PhoneText:
    """A message to a phone. `reference` is the same at every try, so that a provider sends it once.

    `template` and `variables` are what Alimtalk takes, `text` is what SMS takes.
    """

    reference: str
    to: str
    text: str
    template: str = ""
    variables: tuple[tuple[str, str], ...] = ()


class HttpChannel:
    """A provider's address that takes JSON with a bearer key: 2xx took it, 429 and 5xx later, other 4xx never.

    Providers differ in names: put a small relay before one that wants another shape.
    """

    def __init__(self, *, url: str, key: str, sender: str, timeout_s: float) -> None:
        self._url, self._key, self._sender, self._timeout_s = url, key, sender, timeout_s

    def send(self, message: PhoneText) -> Result:
        """Send it, with its reference as the idempotency key."""
        headers = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": message.reference}
        try:
            answer = httpx.post(self._url, json=self.body(message), headers=headers, timeout=self._timeout_s)
        except httpx.HTTPError as error:
            return Result(Outcome.AWAY, repr(error)[:200])
        if answer.is_success:
            return SENT
        why = f"{answer.status_code} {answer.text}"[:200]
        if answer.status_code == 429 or answer.status_code >= 500:
            return Result(Outcome.LATER, why)
        return Result(Outcome.REFUSED, why)

    def body(self, message: PhoneText) -> dict[str, Any]:
        """What the provider is told: nothing beyond these."""
        raise NotImplementedError


class AlimtalkChannel(HttpChannel):
    """KakaoTalk Alimtalk: a template that Kakao approved, and its variables."""

    def body(self, message: PhoneText) -> dict[str, Any]:
        return {
            "reference": message.reference,
            "sender": self._sender,
            "to": message.to,
            "template": message.template,
            "variables": dict(message.variables),
        }


class SmsChannel(HttpChannel):
    """SMS: a text."""

    def body(self, message: PhoneText) -> dict[str, Any]:
        return {"reference": message.reference, "sender": self._sender, "to": message.to, "text": message.text}
