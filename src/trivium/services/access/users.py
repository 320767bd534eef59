"""Identities: accounts and their access keys, as the configuration declares them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec


class Account(msgspec.Struct, frozen=True):
    """Who owns buckets and objects. `id` is the canonical id, shown in ACLs and listings."""

    id: str
    name: str
    email: str = ""


class Credential(msgspec.Struct, frozen=True):
    """An access key of an account. The secret never leaves this process and is never logged."""

    access_key: str
    secret_key: str
    account: Account

    def __repr__(self) -> str:
        return f"Credential({self.access_key})"


# the canonical id AWS gives to anonymous
ANONYMOUS: Final = Account("65a011a29cdf8ec533ec3d1ccaae921c", "anonymous")


class Users:
    """All credentials of the house, by access key, and all accounts, by canonical id."""

    def __init__(self, credentials: Iterable[Credential]) -> None:
        self._credentials = {one.access_key: one for one in credentials}
        self._accounts = {one.account.id: one.account for one in self._credentials.values()}
        self._by_name = {account.name: account for account in self._accounts.values()}
        self._by_email: dict[str, list[Account]] = {}
        for account in self._accounts.values():
            self._by_email.setdefault(account.email.lower(), []).append(account)

    def find(self, access_key: str) -> Credential | None:
        return self._credentials.get(access_key)

    def account(self, id: str) -> Account:
        """The account with this canonical id; one gone from the configuration keeps its id as its name."""
        return self._accounts.get(id) or (ANONYMOUS if id == ANONYMOUS.id else Account(id, id))

    def declared(self, id: str) -> bool:
        """Is there an account with this canonical id?"""
        return id in self._accounts

    def with_email(self, email: str) -> list[Account]:
        """The accounts with this e-mail address, whose case does not matter; none for an empty one."""
        return self._by_email.get(email.lower(), []) if email else []

    def named(self, name: str) -> Account:
        """The account of that name; one that nobody declared has its name as its canonical id."""
        return self._by_name.get(name) or self.account(name)
