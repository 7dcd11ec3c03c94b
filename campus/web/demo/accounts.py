"""The demo's accounts: passwords made once per state, kept in STATE/accounts.txt (0600) and printed."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from campus.people.models import User

from .people import PEOPLE, DemoPerson
from .places import write_private

FILE = "accounts.txt"
_WORDS = [
    "apple",
    "bamboo",
    "candle",
    "dragon",
    "eagle",
    "forest",
    "garden",
    "harbor",
    "island",
    "jungle",
    "kitten",
    "ladder",
    "meadow",
    "needle",
    "orange",
    "pepper",
    "quartz",
    "ribbon",
    "silver",
    "tunnel",
    "velvet",
    "walnut",
    "yellow",
    "zephyr",
    "anchor",
    "breeze",
    "copper",
    "dancer",
    "ember",
    "feather",
]


def new_password() -> str:
    """Two words and three digits: easily typed, 27 bits; the demo listens on the loopback only."""
    words = "-".join(secrets.choice(_WORDS) for _ in range(2))
    return f"{words}-{secrets.randbelow(900) + 100}"


def provide_accounts(state: Path) -> list[str]:
    """See that every printed account has a password, and return the lines: `account ROLE EMAIL PASSWORD`."""
    known = _read(state / FILE)
    wanted = [person for person in PEOPLE if person.is_account]
    users = {user.email: user for user in User.objects.filter(email__in=[person.email for person in wanted])}
    fresh: dict[str, str] = {}
    for person in wanted:
        user = users.get(person.email)
        if user is not None and not (person.email in known and user.has_usable_password()):
            fresh[person.email] = known.get(person.email) or new_password()
    if fresh:
        _set_passwords([users[email] for email in fresh], fresh)
    lines = [
        _line(person, fresh.get(person.email) or known[person.email]) for person in wanted if person.email in users
    ]
    if fresh or not (state / FILE).exists():
        state.mkdir(parents=True, exist_ok=True)
        write_private(state / FILE, "\n".join(lines) + "\n")
    return lines


def verify_addresses(users: list[User]) -> None:
    """Take the e-mail addresses as proven: nobody can read mail sent to them."""
    rows = [EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users]
    EmailAddress.objects.bulk_create(rows, ignore_conflicts=True)


def _set_passwords(users: list[User], passwords: dict[str, str]) -> None:
    # Hashing is slow by design; it leaves Python's lock, so two cores share it.
    with ThreadPoolExecutor(max_workers=4) as pool:
        hashes = list(pool.map(lambda user: make_password(passwords[user.email]), users))
    for user, hashed in zip(users, hashes, strict=True):
        user.password = hashed
    User.objects.bulk_update(users, ["password"])


def _read(path: Path) -> dict[str, str]:
    """Return e-mail to password as an earlier seeding wrote them."""
    if not path.exists():
        return {}
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    return {row[2]: row[3] for row in rows if len(row) == 4 and row[0] == "account"}


def _line(person: DemoPerson, password: str) -> str:
    return f"account {person.role} {person.email} {password}"
