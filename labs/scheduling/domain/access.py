"""Which sites, lendings and class reservations the jobs of an account may use."""

from __future__ import annotations

from typing import NamedTuple

from labs.scheduling.domain.snapshot import Id, LendingState, Snapshot


class Rights(NamedTuple):
    """What an account may use, the same for all accounts that share it."""

    #: Sites that belong to others.
    foreign_sites: frozenset[Id]
    #: Lendings that cover it and class reservations of which it is the cohort, by their place in the snapshot's order.
    lendings: frozenset[int]
    reservations: frozenset[int]


class Access:
    """Rights by account. Most accounts share theirs, so rights have numbers."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._parent = {account.id: account.parent_id for account in snapshot.accounts}
        self._owned = [(site.id, site.owner_account_id) for site in snapshot.sites if site.owner_account_id is not None]
        self.lendings = sorted(snapshot.lendings, key=_of_lending)
        self.reservations = sorted(snapshot.reservations, key=lambda one: (one.start_at, str(one.id)))
        self.is_plain = not (self._owned or self.lendings or self.reservations)
        plain = Rights(frozenset(), frozenset(), frozenset())
        self.rights: list[Rights] = [plain] if self.is_plain else []
        self._numbers: dict[Rights, int] = {}
        self._of_account: dict[Id, int] = {}

    def number(self, account_id: Id) -> int:
        """The number of the account's rights."""
        if self.is_plain:
            return 0
        found = self._of_account.get(account_id)
        if found is None:
            above = set(self._chain(account_id))
            rights = Rights(
                frozenset(site for site, owner in self._owned if owner not in above),
                frozenset(
                    n
                    for n, one in enumerate(self.lendings)
                    if one.borrower_account_id is None or one.borrower_account_id in above
                ),
                frozenset(n for n, one in enumerate(self.reservations) if one.account_id in above),
            )
            found = self._numbers.get(rights)
            if found is None:
                found = self._numbers[rights] = len(self.rights)
                self.rights.append(rights)
            self._of_account[account_id] = found
        return found

    def _chain(self, account_id: Id) -> list[Id]:
        chain: list[Id] = []
        at: Id | None = account_id
        while at is not None:
            chain.append(at)
            at = self._parent[at]
        return chain


def _of_lending(one: LendingState) -> tuple[str, bool, str, float, float, int]:
    """Lendings of a site together, those to one borrower before those to anybody."""
    borrower = one.borrower_account_id
    return str(one.lender_site_id), borrower is None, str(borrower), one.from_at, one.until_at, one.max_gpus
