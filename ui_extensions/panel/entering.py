"""The way into the panel for agents whose helpdesk has no relay: they sign in on the helpdesk's own pages (OAuth 2.0) and come back with a right to one ticket.

What must come back with them stands in a cookie that only we can read, so whoever begins costs no row in the database, and nobody can finish what another
browser began. The way ends where a relay's does: at a link for one use (`signing.mint_link`).
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import Response, render_template, request

from plugin.bootstrap import Bridge
from plugin.contracts.helpdesk import OAuth2Application, OffersOAuth2, StaffMember
from plugin.contracts.http import HttpClient
from plugin.domain.errors import CrossdeskError
from plugin.domain.ids import HelpdeskKey
from ui_extensions.panel import signing, wording
from ui_extensions.panel.answers import plain
from ui_extensions.panel.signing import Agent
from ui_extensions.sign_in import PANEL_CALLBACK, OAuth2SignIn, new_verifier

EXTENSION = "jmgbgiedcmmdgmmemcmmeaaaidmgkgek"
"""The browser extension's id, which its key in `ui_extensions/browser/extension/manifest.json` makes: the one other place where a link may go."""
SUPERVISORS = "Social Supervisor"
"""The role that `crossdesk helpdesk apply` makes in Zammad."""
_SECONDS = 600
_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Entering:
    """Begins and ends signing in. `http` is asked only for what the admin named."""

    def __init__(self, bridge: Bridge, secrets_of: Mapping[str, Sequence[str]], http: HttpClient | None) -> None:
        self._bridge = bridge
        self._secrets = secrets_of
        self._given = http
        self._public = bridge.config.public_url.rstrip("/")
        self._fernet = MultiFernet([Fernet(key) for key in bridge.keys])

    @cached_property
    def _http(self) -> HttpClient:
        return self._given or self._bridge.http("signing in")

    @staticmethod
    def is_wanted() -> bool:
        """Whether this request is a person's who opened an address, and not a relay's or the panel's."""
        headers = request.headers
        return "text/html" in headers.get("Accept", "") and not {"X-Crossdesk-Signature", "X-Crossdesk-Session"} & set(headers.keys())

    def begin(self, helpdesk: str, ticket: str) -> Response:
        """Send a browser to the helpdesk."""
        application = self._application(helpdesk)
        if application is None:
            return self._told(404, "This panel is opened from the ticket in the helpdesk.")
        state, verifier = secrets.token_urlsafe(24), new_verifier()
        kept = {"state": state, "verifier": verifier, "helpdesk": helpdesk, "ticket": ticket, "to": request.args.get("to", "")[:20]}
        answer = plain(_leaving(self._sign_in(helpdesk, application).start(state=state, verifier=verifier)))
        # One for each begun way, so that two tickets may be opened at once.
        answer.set_cookie(
            _cookie(state), self._fernet.encrypt(json.dumps(kept).encode()).decode(), max_age=_SECONDS, path=self._path(helpdesk),
            secure=self._public.startswith("https://"), httponly=True, samesite="Lax",
        )  # fmt: skip
        return answer

    def finish(self, helpdesk: str) -> Response:
        """Take a browser that comes back to its ticket."""
        state = request.args.get("state", "")[:100]
        kept = self._kept(request.cookies.get(_cookie(state), ""))
        application = self._application(helpdesk)
        place = next((desk.place for desk in self._bridge.installation.desks.values() if desk.key == helpdesk), None)
        if (
            application is None
            or place is None
            or kept.get("helpdesk") != helpdesk
            or not hmac.compare_digest(kept["state"].encode(), state.encode("utf-8", "replace"))
        ):
            return self._told(
                403, "This way in was not begun in this browser, or took longer than ten minutes. Open the panel from the ticket again."
            )
        again = f"{self._public}/panel/{helpdesk}/{quote(kept['ticket'], safe='')}"
        if not self._bridge.grants.spend(place, f"sign-in {state}"):
            return self._told(403, "This way in was used before.", again=again)
        if request.args.get("error"):
            return self._told(403, "The helpdesk let nobody in; nothing was opened.", again=again)
        try:
            sign_in = self._sign_in(helpdesk, application)
            reader = sign_in.finish_at(request.args.get("code", ""), kept["ticket"], verifier=kept["verifier"])
        except CrossdeskError as problem:
            return self._told(503, str(problem), again=again)
        if reader is None:
            return self._told(403, "The helpdesk does not show you this ticket, so it is not shown here either.", again=again)
        agent = Agent(
            id=reader.id,
            name=reader.member.name,
            login=reader.member.login,
            role=self._role(reader.member),
            groups=reader.member.groups[:50],
        )
        token = signing.mint_link(self._secrets[helpdesk][0], helpdesk=helpdesk, ticket=kept["ticket"], agent=agent, now=datetime.now(UTC))
        target = f"{self._public}/panel/-/page?from={helpdesk}/{quote(kept['ticket'], safe='')}"
        if kept["to"] == "extension":
            target = f"https://{EXTENSION}.chromiumapp.org/panel"
        answer = plain(_leaving(f"{target}#{token}"))
        answer.delete_cookie(
            _cookie(state), path=self._path(helpdesk), secure=self._public.startswith("https://"), httponly=True, samesite="Lax"
        )
        return answer

    def _application(self, helpdesk: str) -> OAuth2Application | None:
        adapter: object = next(
            (desk.adapter for desk in self._bridge.installation.desks.values() if desk.key == HelpdeskKey(helpdesk)), None
        )
        return adapter.oauth2 if isinstance(adapter, OffersOAuth2) else None

    def _sign_in(self, helpdesk: str, application: OAuth2Application) -> OAuth2SignIn:
        return OAuth2SignIn.of(application, redirect_uri=self._public + PANEL_CALLBACK.format(helpdesk=helpdesk), http=self._http)

    def _role(self, member: StaffMember) -> str:
        """As the console counts them, and by the role that was made for it."""
        config, mine = self._bridge.config.console, {name.casefold() for name in member.groups}
        if mine & {name.casefold() for name in config.admins}:
            return "admin"
        return "supervisor" if mine & {name.casefold() for name in (*config.supervisors, SUPERVISORS)} else "agent"

    def _kept(self, cookie: str) -> dict[str, Any]:
        try:
            kept: dict[str, Any] = json.loads(self._fernet.decrypt(cookie.encode("utf-8", "replace"), ttl=_SECONDS))
        except InvalidToken:
            return {}
        return kept

    def _path(self, helpdesk: str) -> str:
        return urlsplit(self._public).path + PANEL_CALLBACK.format(helpdesk=helpdesk)

    def _told(self, status: int, says: str, *, again: str = "") -> Response:
        answer = Response(
            render_template("told.html", says=says, again=again, words=wording.asked()),
            status=status,
            content_type="text/html; charset=utf-8",
        )
        answer.headers["Content-Security-Policy"] = _POLICY
        answer.headers["Cache-Control"] = "no-store"
        return plain(answer)


def _cookie(state: str) -> str:
    return f"crossdesk-panel-{state[:8]}"


def _leaving(address: str) -> Response:
    answer = Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})
    answer.content_length = 0
    return answer
