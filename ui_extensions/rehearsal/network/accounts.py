"""Who is on the practice network: the company and its customers. Its owner brings the lock."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from ui_extensions.rehearsal.network import model
from ui_extensions.rehearsal.network.model import Refused, User

COMPANY = ("acme", "Acme Support")
CUSTOMERS = (("lena", "Lena Marsh"), ("omar", "Omar Haddad"), ("mei", "Mei Tanaka"))


class Accounts:
    """Accounts by id and by token."""

    def __init__(self, company_token: str) -> None:
        self._by_id: dict[str, User] = {}
        self._by_token: dict[str, User] = {}
        handle, name = COMPANY
        self.company = User(user_id=f"u_{handle}", handle=handle, name=name, token=company_token, is_company=True)
        self.keep(self.company)

    def fresh(self, handle: str, name: str) -> User:
        """A customer who could be added.

        Raises:
            Refused: the handle is taken or not one.
        """
        handle, name = handle.strip().removeprefix("@").lower(), " ".join(name.split())[:80]
        if not model.HANDLE.fullmatch(handle):
            raise Refused(422, "handle_invalid", "A handle has 2 to 30 letters a-z, digits or underscores.")
        if f"u_{handle}" in self._by_id:
            raise Refused(409, "handle_taken", f"@{handle} is taken.")
        model.checked_text(name, may_be_empty=True)
        return User(user_id=f"u_{handle}", handle=handle, name=name or handle, token=secrets.token_urlsafe(24))

    def keep(self, user: User) -> None:
        """Take an account in."""
        self._by_id[user.user_id] = user
        self._by_token[user.token] = user

    def customers(self) -> Sequence[User]:
        """Every customer, first come first."""
        return [user for user in self._by_id.values() if not user.is_company]

    def user(self, user_id: str) -> User:
        """An account by id.

        Raises:
            Refused: nobody.
        """
        found = self._by_id.get(user_id)
        if found is None:
            raise Refused(404, "user_unknown", f"There is no user {user_id[:64]!r}.")
        return found

    def of_token(self, token: str) -> User | None:
        """Whose token this is."""
        return self._by_token.get(token)
