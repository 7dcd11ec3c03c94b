"""Hashes of a device and of a network: enough to see that two are the same, not which they are."""

import ipaddress
import secrets
from dataclasses import dataclass

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

COOKIE = "campus_device"
_SALT = "attendance.device"
_AGE_S = 365 * 24 * 3600


@dataclass(frozen=True)
class Traces:
    """Hashes; empty where there is nothing to hash."""

    device: str = ""
    network: str = ""


def traces_of(request: HttpRequest) -> Traces:
    """What this request tells of its device (by our signed cookie) and its network."""
    token = request.get_signed_cookie(COOKIE, default="", salt=_SALT)
    device = salted_hmac("attendance.device", token, algorithm="sha256").hexdigest()[:32] if token else ""
    return Traces(device, network_of(request.META.get("REMOTE_ADDR", "")))


def network_of(address: str) -> str:
    """A keyed hash of an address's network (/24 or /48): neither the address nor the network can be read from it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    network = ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False)
    return salted_hmac("attendance.network", str(network), algorithm="sha256").hexdigest()[:32]


def mark_device(request: HttpRequest, response: HttpResponse) -> None:
    """Give the device a number of its own if it has none: random, signed, good for nothing else."""
    try:
        if request.get_signed_cookie(COOKIE, salt=_SALT):
            return
    except (KeyError, signing.BadSignature):
        pass
    response.set_signed_cookie(
        COOKIE, secrets.token_urlsafe(16), salt=_SALT, max_age=_AGE_S, httponly=True, samesite="Lax",
        secure=request.is_secure(),
    )  # fmt: skip
