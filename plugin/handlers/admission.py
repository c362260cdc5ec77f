"""Who may use the console: sign-in through the helpdesk, one-time links, and sessions that end. Knows no HTTP and no page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from plugin.config import ConsoleConfig
from plugin.contracts.helpdesk import AuthenticatesStaff, HandsOverStaff, OAuth2Application, OffersOAuth2, StaffMember
from plugin.domain.errors import ConfigError
from plugin.handlers.installation import Installation
from plugin.store import ledger
from plugin.store.database import Database, now
from plugin.store.passes import Pass, Passes

LINK_SECONDS = 600
_LONGEST = timedelta(hours=12)
_SHOWN = 120


class Role(StrEnum):
    """What a person may do in the console; each may do what those below it may."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what needs `needed`."""
        return _RANK[self] >= _RANK[needed]


_RANK: Mapping[Role, int] = {Role.AUDITOR: 0, Role.SUPERVISOR: 1, Role.ADMIN: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is signed in. `login` names them in the audit."""

    login: str
    name: str
    role: Role
    is_known: bool = False
    """Whether the helpdesk said who this is; whoever came by a link may be anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How people sign in besides by a link: by login and password, on the helpdesk's own page, or sent over from there."""

    by_password: bool = False
    oauth2: OAuth2Application | None = None
    hand_over_url: str = ""


class Admission:
    """Lets people into the console and out again. Everything but looking at a session is written down."""

    def __init__(self, installation: Installation, database: Database, passes: Passes, config: ConsoleConfig) -> None:
        self._installation = installation
        self._database = database
        self._passes = passes
        self._config = config

    @property
    def asks_helpdesk(self) -> bool:
        """Whether a login of the helpdesk may let people in."""
        return self._config.asks_helpdesk

    def link(self, role: Role, *, actor: str) -> str:
        """What a one-time link carries; good for ten minutes and for one use."""
        token = self._passes.issue(Pass.LINK, {"role": role.value, "by": actor}, seconds=LINK_SECONDS)
        self._record(actor, "console link", role.value)
        return token

    def redeem(self, token: str) -> str | None:
        """The session that a link opens; None when it was used before, or ran out."""
        found = self._passes.take(Pass.LINK, token)
        if found is None:
            return None
        return self._open(Person(login=f"link of {found['by']}", name=found["by"], role=Role(found["role"])))

    def sign_in(self, login: str, password: str) -> str | None:
        """The session of somebody whom the helpdesk knows and whose roles or groups are let in; None for all others.

        Raises:
            ConfigError: nobody can sign in this way here.
            RemoteError: the helpdesk could not be asked, or lets nobody sign in this way.
        """
        adapter = self._desk()
        if not isinstance(adapter, AuthenticatesStaff):
            raise ConfigError(
                "This helpdesk cannot be asked by login and password. `crossdesk console link --role admin` lets you in once."
            )
        return self.admit(adapter.sign_in(login, password), login)

    def admit(self, member: StaffMember | None, login: str = "") -> str | None:
        """The session of somebody for whom the helpdesk vouched; None for whoever it does not know, and for those without a role."""
        role = None if member is None else self._role(member)
        if member is None or role is None:
            shown = login if member is None else member.login
            self._record(shown[:_SHOWN], "console sign-in refused", "unknown" if member is None else "no role")
            return None
        return self._open(Person(login=member.login, name=member.name, role=role, is_known=True))

    def hand_over(self, word: str) -> str | None:
        """The session of somebody whom the helpdesk sent over; None when the word is not from there, too old, or was used."""
        adapter = self._desk()
        if not isinstance(adapter, HandsOverStaff):
            return None
        member = adapter.receive_staff(word)
        if member is not None and not self._passes.spend(f"hand-over {word}", seconds=LINK_SECONDS):
            member = None
        return self.admit(member)

    def sends_over(self, word: str) -> StaffMember | None:
        """Whom a word is for, to show before it is used."""
        adapter = self._desk()
        return adapter.receive_staff(word) if isinstance(adapter, HandsOverStaff) else None

    @property
    def ways(self) -> Ways:
        """How people can sign in with what the helpdesk knows of them."""
        if not self.asks_helpdesk:
            return Ways()
        try:
            adapter: object = self._desk()
        except ConfigError:
            return Ways()
        return Ways(
            by_password=isinstance(adapter, AuthenticatesStaff),
            oauth2=adapter.oauth2 if isinstance(adapter, OffersOAuth2) else None,
            hand_over_url=adapter.hand_over_url if isinstance(adapter, HandsOverStaff) else "",
        )

    def who(self, session: str) -> Person | None:
        """Who this session belongs to; None when it has ended. Asking keeps it from ending for a while."""
        found = self._passes.read(Pass.SESSION, session, renew_seconds=self._config.idle_seconds)
        if found is None or self._database.run(now) > datetime.fromisoformat(found["until"]):
            return None
        return Person(login=found["login"], name=found["name"], role=Role(found["role"]), is_known=found.get("known") == "yes")

    def sign_out(self, session: str) -> None:
        """End a session, everywhere at once."""
        found = self._passes.take(Pass.SESSION, session)
        if found is not None:
            self._record(found["login"], "console sign-out", found["role"])

    def _open(self, person: Person) -> str:
        meaning = {"login": person.login, "name": person.name, "role": person.role.value, "known": "yes" if person.is_known else "no"}
        until = self._database.run(now) + _LONGEST
        session = self._passes.issue(Pass.SESSION, {**meaning, "until": until.isoformat()}, seconds=self._config.idle_seconds)
        self._record(person.login, "console sign-in", person.role.value)
        return session

    def _role(self, member: StaffMember) -> Role | None:
        mine = {name.casefold() for name in member.groups}
        wanted = {Role.ADMIN: self._config.admins, Role.SUPERVISOR: self._config.supervisors, Role.AUDITOR: self._config.auditors}
        return next((role for role, names in wanted.items() if mine & {name.casefold() for name in names}), None)

    def _desk(self) -> object:
        desks = [desk for desk in self._installation.desks.values() if self._config.helpdesk in {"", desk.key}]
        if not self.asks_helpdesk or len(desks) != 1:
            raise ConfigError(
                "Nobody can sign in with a login of the helpdesk: [console] names no admins, supervisors or auditors. "
                "`crossdesk console link --role admin` prints a link that lets you in once."
            )
        return desks[0].adapter

    def _record(self, actor: str, action: str, subject: str) -> None:
        with self._database.begin() as connection:
            ledger.record(connection, actor=actor.replace("\0", ""), action=action, subject=subject, detail={})
