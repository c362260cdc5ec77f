"""`/panel/`: snapshots and presses for the helpdesks' relays, pictures under signed addresses, and the page of its own. Errors never leak.

`/panel/<helpdesk>/<ticket>` is the contract (docs/panel.md). What begins with `/panel/-/` is ours: no helpdesk can be called so.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, render_template, request, send_from_directory

from plugin.bootstrap import Bridge
from plugin.contracts.http import HttpClient
from plugin.contracts.wakeups import WakeUps
from plugin.domain.errors import CrossdeskError, SignatureInvalid
from plugin.domain.ids import HelpdeskKey, Place
from plugin.transport.client import Transport
from ui_extensions.panel import pictures, signing, snapshot, wording
from ui_extensions.panel.answers import Refused, as_json, guarded, plain
from ui_extensions.panel.entering import Entering
from ui_extensions.panel.pictures import Pictures
from ui_extensions.panel.presence import Presence
from ui_extensions.panel.presses import Answer, Presses, read
from ui_extensions.panel.rates import Rates
from ui_extensions.panel.signing import Agent
from ui_extensions.panel.weighing import weighed

HERE = Path(__file__).parent
SESSION = "X-Crossdesk-Session"
_LONGEST_BODY = 64_000
_PICTURE_SECONDS = 3600
_PAGE_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ASSETS = ("cd-panel.js", "locales/en.json", "locales/de.json", "static/page.js", "static/page.css")


def add_panel(app: Flask, bridge: Bridge, wakeups: WakeUps, *, http: HttpClient | None = None) -> None:
    """Give the receiver's application the panel. Without keys of the installation nothing can be signed, and there is none."""
    if bridge.keys:
        app.register_blueprint(Panel(bridge, wakeups, http=http).blueprint())


def relay_secrets(bridge: Bridge, helpdesk: str) -> list[str]:
    """The secrets that a helpdesk's relay may sign with, the one to use first."""
    return [signing.relay_secret(key, helpdesk) for key in bridge.keys]


class Panel:
    """The routes, and what they need."""

    def __init__(self, bridge: Bridge, wakeups: WakeUps, *, rates: Rates | None = None, http: HttpClient | None = None) -> None:
        self._bridge = bridge
        self._presence = Presence()
        self._rates = rates or Rates(a_second=6, at_once=40)
        self._strangers = Rates(a_second=1, at_once=30)
        self._desks = {desk.key: desk.place for desk in bridge.installation.desks.values()}
        self._secrets: dict[str, list[str]] = {key: relay_secrets(bridge, key) for key in self._desks}
        self._entering = Entering(bridge, self._secrets, http)
        self._presses = Presses(bridge.installation, bridge.database, wakeups)

    @cached_property
    def _pictures(self) -> Pictures:
        http: HttpClient = Transport().client(name="a contact's picture", timeout=10.0)
        return Pictures(self._bridge.installation, self._bridge.database, http)

    def blueprint(self) -> Blueprint:
        """All of it."""
        made = Blueprint("panel", __name__, url_prefix="/panel", template_folder="templates")
        views: tuple[tuple[str, str, Callable[..., Response]], ...] = (
            ("GET", "/<helpdesk>/<ticket>", self._show),
            ("GET", "/<helpdesk>/callback", self._come_back),
            ("POST", "/<helpdesk>/<ticket>/actions/<action>", self._press),
            ("POST", "/<helpdesk>/<ticket>/preflight", self._preflight),
            ("GET", "/-/file/<int:event>/<int:part>", self._file),
            ("GET", "/-/avatar/<int:contact>", self._avatar),
            ("GET", "/-/page", self._page),
            ("POST", "/-/session", self._session),
            ("GET", "/-/assets/<path:name>", self._asset),
        )
        for method, path, view in views:
            made.add_url_rule(path, view.__name__, guarded(view), methods=[method])
        return made

    # The contract

    def _show(self, helpdesk: str, ticket: str) -> Response:
        if self._entering.is_wanted():
            self._slow_down()
            return self._entering.begin(helpdesk, ticket)
        agent, place = self._admit(helpdesk, ticket, b"")
        present = self._presence.seen(helpdesk, ticket, agent.id, agent.name, doing=request.args.get("doing", ""))
        with self._bridge.database.single() as connection:
            rev = snapshot.revision(connection, place, ticket, present, now=_now())
        if rev is None:
            raise Refused(404, "unknown_ticket", "This ticket has nothing to do with a social channel.")
        before = request.args.get("before", "")
        if request.args.get("since") == rev and not before:
            return self._renewed(Response(status=204, headers={"Cache-Control": "no-store"}))
        older = int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None
        return self._renewed(as_json(200, self._take(place, ticket, agent, rev, before=older)))

    def _press(self, helpdesk: str, ticket: str, action: str) -> Response:
        body = self._body()
        agent, place = self._admit(helpdesk, ticket, body)
        asked = read(action, _parsed(body))
        if isinstance(asked, Answer):
            raise _refused(asked)
        answer = self._presses.press(asked, self._now_of(place, helpdesk, ticket, agent), agent)
        now = self._now_of(place, helpdesk, ticket, agent)
        if answer.status != 200:
            raise _refused(answer, now)
        return self._renewed(as_json(200, now))

    def _preflight(self, helpdesk: str, ticket: str) -> Response:
        body = self._body()
        agent, place = self._admit(helpdesk, ticket, body)
        asked = _parsed(body)
        words = asked.get("text", "") if isinstance(asked, dict) else ""
        if not isinstance(words, str):
            raise Refused(422, "unreadable", "`text` is a text.")
        taken = self._now_of(place, helpdesk, ticket, agent)
        return self._renewed(as_json(200, weighed(self._bridge.installation, taken, words)))

    def _now_of(self, place: Place, helpdesk: str, ticket: str, agent: Agent) -> dict[str, Any]:
        present = self._presence.seen(helpdesk, ticket, agent.id, agent.name, doing="viewing")
        with self._bridge.database.single() as connection:
            rev = snapshot.revision(connection, place, ticket, present, now=_now())
        if rev is None:
            raise Refused(404, "unknown_ticket", "This ticket has nothing to do with a social channel.")
        return self._take(place, ticket, agent, rev)

    def _take(self, place: Place, ticket: str, agent: Agent, rev: str, *, before: int | None = None) -> dict[str, Any]:
        helpdesk = place.partition(":")[2]
        asked = snapshot.Asked(
            helpdesk=place,
            ticket=ticket,
            agent=agent,
            present=self._presence.seen(helpdesk, ticket, agent.id, agent.name, doing=request.args.get("doing", "")),
            before=before,
            file_address=lambda event, part: self._sealed(f"/panel/-/file/{event}/{part}"),
            avatar_address=lambda contact: self._sealed(f"/panel/-/avatar/{contact}"),
        )
        with self._bridge.database.begin() as connection:
            taken = snapshot.take(connection, self._bridge.installation, asked, rev)
        if taken is None:
            raise Refused(404, "unknown_ticket", "This ticket has nothing to do with a social channel.")
        return taken

    # Who asks

    def _come_back(self, helpdesk: str) -> Response:
        self._slow_down()
        return self._entering.finish(helpdesk)

    def _slow_down(self) -> None:
        if wait := self._strangers.wait(f"person {request.remote_addr}"):
            raise Refused(429, "too_many", "Too many tries. Wait a moment.", retry_after=wait)

    def _admit(self, helpdesk: str, ticket: str, body: bytes) -> tuple[Agent, Place]:
        """The agent, by the relay's signature or by a session of the page."""
        stranger = request.remote_addr or ""
        if wait := self._strangers.left(stranger):
            raise Refused(429, "too_many", "Too many requests were refused. Wait a moment.", retry_after=wait)
        try:
            agent = self._agent_of(helpdesk, ticket, body)
        except SignatureInvalid:
            self._strangers.wait(stranger)
            raise
        if wait := self._rates.wait(f"{helpdesk} {agent.id}"):
            raise Refused(429, "too_many", "Too many requests. Wait a moment.", retry_after=wait)
        return agent, self._desks[HelpdeskKey(helpdesk)]

    def _agent_of(self, helpdesk: str, ticket: str, body: bytes) -> Agent:
        if HelpdeskKey(helpdesk) not in self._desks:
            raise SignatureInvalid("There is no such helpdesk here.")
        token = request.headers.get(SESSION, "")
        return self._by_session(token, helpdesk, ticket) if token else self._by_relay(helpdesk, body)

    def _by_relay(self, helpdesk: str, body: bytes) -> Agent:
        path = request.environ.get("RAW_URI") or request.full_path.rstrip("?")
        return signing.check_request(
            self._secrets[helpdesk], dict(request.headers), method=request.method, path=_from_panel(str(path)), body=body, now=_now()
        )

    def _by_session(self, token: str, helpdesk: str, ticket: str) -> Agent:
        opened = signing.open_session(self._bridge.keys, token, now=_now())
        if (opened.helpdesk, opened.ticket) != (helpdesk, ticket):
            raise SignatureInvalid("The session is another ticket's.")
        return opened.agent

    def _renewed(self, answer: Response) -> Response:
        """A session that is used goes on."""
        token = request.headers.get(SESSION, "")
        if token:
            opened = signing.open_session(self._bridge.keys, token, now=_now())
            if opened.until - _now().timestamp() < signing.SESSION_SECONDS / 2:
                answer.headers[SESSION] = signing.session(self._bridge.keys[0], opened, now=_now())
        return answer

    def _body(self) -> bytes:
        request.max_content_length = _LONGEST_BODY
        if (request.content_length or 0) > _LONGEST_BODY:
            raise Refused(413, "too_big", "The request is larger than any press can be. Nothing was done.")
        return request.get_data(cache=False)

    # Pictures

    def _sealed(self, path: str) -> str:
        """An address that opens for an hour or two; it changes once an hour, so that browsers keep the picture."""
        until = (int(_now().timestamp()) // _PICTURE_SECONDS + 2) * _PICTURE_SECONDS
        return f"{path}?until={until}&by={signing.seal_address(self._bridge.keys[0], path, until)}"

    def _file(self, event: int, part: int) -> Response:
        return self._draw(f"/panel/-/file/{event}/{part}", lambda: self._pictures.of_message(event, part))

    def _avatar(self, contact: int) -> Response:
        return self._draw(f"/panel/-/avatar/{contact}", lambda: self._pictures.of_contact(contact))

    def _draw(self, path: str, fetch: Callable[[], pictures.Picture]) -> Response:
        until, given = request.args.get("until", ""), request.args.get("by", "")
        if not signing.is_sealed(self._bridge.keys, path, until, given, now=_now()):
            raise Refused(403, "expired", "This address has expired. Load the ticket again.")
        try:
            picture = fetch()
        except CrossdeskError as problem:
            raise Refused(pictures.status_of(problem), "no_picture", "The picture cannot be shown here.") from None
        answer = Response(picture.content, content_type=picture.content_type)
        answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        answer.headers["Content-Disposition"] = "inline"
        answer.headers["Cache-Control"] = f"private, max-age={_PICTURE_SECONDS}"
        answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return plain(answer)

    # The page of its own

    def _page(self) -> Response:
        nonce = secrets.token_urlsafe(16)
        answer = Response(render_template("panel.html", nonce=nonce, words=wording.asked()), content_type="text/html; charset=utf-8")
        answer.headers["Content-Security-Policy"] = _PAGE_POLICY.format(nonce=nonce)
        answer.headers["X-Frame-Options"] = "DENY"
        answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        answer.headers["Cache-Control"] = "no-store"
        return plain(answer)

    def _session(self) -> Response:
        """A link that was not used yet becomes a session."""
        if wait := self._strangers.wait(f"session {request.remote_addr}"):
            raise Refused(429, "too_many", "Too many tries. Wait a moment.", retry_after=wait)
        asked = _parsed(self._body())
        token = asked.get("token") if isinstance(asked, dict) else None
        opened = signing.open_link(self._secrets, token if isinstance(token, str) else "", now=_now())
        if not self._bridge.grants.spend(self._desks[HelpdeskKey(opened.helpdesk)], opened.word):
            raise SignatureInvalid("This link was used before. Open the panel from the ticket again.")
        begun = signing.Pass(
            helpdesk=opened.helpdesk, ticket=opened.ticket, agent=opened.agent, until=opened.until, word=str(int(_now().timestamp()))
        )
        session = signing.session(self._bridge.keys[0], begun, now=_now())
        return as_json(200, {"session": session, "helpdesk": opened.helpdesk, "ticket": opened.ticket, "name": opened.agent.name})

    def _asset(self, name: str) -> Response:
        if name not in _ASSETS:
            raise Refused(404, "unknown", "There is no such file.")
        answer = send_from_directory(HERE, name)
        answer.headers["Cache-Control"] = "no-cache"
        return plain(answer)


def _now() -> datetime:
    return datetime.now(UTC)


def _from_panel(path: str) -> str:
    """What a relay signs: the path from `/panel/` on, whatever a proxy put before it."""
    if path.startswith(("http://", "https://")):
        parts = urlsplit(path)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
    return path


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(422, "unreadable", "The request holds no readable JSON. Nothing was done.") from None


def _refused(answer: Answer, snapshot_now: dict[str, Any] | None = None) -> Refused:
    told: dict[str, Any] = {"by": answer.by, "at": answer.at} if answer.by else {}
    if snapshot_now is not None:
        told["snapshot"] = snapshot_now
    return Refused(answer.status, answer.code, answer.text, **told)
