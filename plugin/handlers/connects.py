"""Connecting an account by OAuth: a person is sent to the platform with a state that works once, and what comes back becomes stored tokens."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from plugin.contracts.platform import Connects, Grant
from plugin.domain.errors import CrossdeskError, StoreUnavailable, Unsupported
from plugin.domain.ids import Place
from plugin.handlers import operate
from plugin.handlers.installation import Channel, Installation
from plugin.store import ledger, places
from plugin.store.database import Database
from plugin.store.grants import Grants

_log = structlog.get_logger("crossdesk.connects")
CALLBACK = "/oauth/callback"
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the person who came back is told: what happened, what was kept, what to do next."""

    is_ok: bool
    title: str
    text: str
    draft: str = ""
    """The draft to which the person goes back in the console."""


def _no_drafts(_key: str) -> None:
    return None


class Connector:
    """Connects the channels of an installation. `redirect_url` is the one address to which platforms may send people back.

    `trial`: a channel that is still being set up in the console, bound to its platform.
    """

    def __init__(
        self,
        installation: Installation,
        database: Database,
        grants: Grants,
        *,
        redirect_url: str,
        trial: Callable[[str], Channel | None] = _no_drafts,
    ) -> None:
        self._trial = trial
        self._installation = installation
        self._database = database
        self._grants = grants
        self.redirect_url = redirect_url

    def begin(self, place: Place, *, actor: str) -> str:
        """Where a person's browser goes to agree; good for ten minutes and for one use.

        Raises:
            Unsupported: this platform is not connected that way.
        """
        adapter = self._adapter(place)
        if not isinstance(adapter, Connects):
            raise Unsupported(
                f"{place} is not connected in a browser: its credentials stand in crossdesk.toml; the platform's page says which."
            )
        grant = Grant(state=secrets.token_urlsafe(32), verifier=secrets.token_urlsafe(64), redirect_url=self.redirect_url)
        self._grants.keep(place, grant)
        with self._database.begin() as connection:
            ledger.record(connection, actor=actor, action="connect begun", subject=place, detail={"scopes": list(adapter.scopes)})
        return adapter.authorize_url(grant)

    def finish(self, state: str, code: str, error: str) -> Outcome:
        """Take what the platform sent back with the person. Never raises: a person reads the outcome."""
        try:
            taken = self._grants.take(state) if state else None
            if taken is None:
                return _failed(
                    "This link does not work any more",
                    "It was used before, or it is older than ten minutes. Nothing was changed. Have a new one printed: crossdesk channel connect NAME",
                )
            return self._finish(*taken, code, error)
        except StoreUnavailable:
            return _failed("Not connected", "The database cannot be reached now. Nothing was changed. Wait a moment and connect again.")

    def _adapter(self, place: Place) -> object:
        if self._installation.knows(place):
            return self._installation.adapter(place)
        kind, _, key = place.partition(":")
        channel = self._trial(key) if kind == "draft" else None
        return None if channel is None else channel.adapter

    def _finish(self, place: Place, grant: Grant, code: str, error: str) -> Outcome:
        kind, _, name = place.partition(":")
        draft = name if kind == "draft" else ""
        again = "To try again, go back to the console." if draft else f"To try again: crossdesk channel connect {name}"
        adapter = self._adapter(place)
        if not isinstance(adapter, Connects):
            return _failed(
                f"{name} is not connected",
                f"This receiver does not know {place} yet. Nothing was changed. Restart crossdesk. {again}",
                draft,
            )
        if error or not code:
            why = f"The platform says: {error[:_SHOWN]}." if error else "The platform sent no code."
            return _failed(f"{name} is not connected", f"{why} Nothing was changed. {again}", draft)
        try:
            adapter.exchange(code, grant)
        except CrossdeskError as problem:
            _log.warning("connect_failed", place=place, error=problem.code)
            return _failed(f"{name} is not connected", f"{problem} {again}", draft)
        if draft:
            with self._database.begin() as connection:
                ledger.record(connection, actor="browser", action="connect", subject=place, detail={})
            text = "The permission is stored with the draft; nothing is live yet. Go on in the console."
            return Outcome(is_ok=True, title=f"{name} is connected", text=text, draft=draft)
        return self._connected(place, name)

    def _connected(self, place: Place, name: str) -> Outcome:
        _log.info("connected", place=place)
        with self._database.begin() as connection:
            ledger.record(connection, actor="browser", action="connect", subject=place, detail={})
            standing = places.standings(connection, [place]).get(place)
        if standing is not None and standing.status == "reauth":
            freed = operate.resume(self._database, place, actor="connect")
            return Outcome(
                is_ok=True,
                title=f"{name} is connected",
                text=f"The channel had stopped and goes on now, with {freed} messages that had waited. You can close this page.",
            )
        text = "The permission is stored. You can close this page; crossdesk channel test shows what it opens."
        return Outcome(is_ok=True, title=f"{name} is connected", text=text)


def _failed(title: str, text: str, draft: str = "") -> Outcome:
    return Outcome(is_ok=False, title=title, text=text, draft=draft)
