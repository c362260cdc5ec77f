"""Signing in and out: by the helpdesk's login, on its own page, sent over from there, or by a link that was printed for one use."""

from __future__ import annotations

import hmac
import threading
import time
from collections import OrderedDict, deque

from flask import Flask, redirect, render_template, request, url_for
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from plugin.bootstrap import Bridge
from plugin.domain.errors import ConfigError, CrossdeskError
from plugin.handlers.admission import LINK_SECONDS, Admission, Role
from plugin.store.passes import Pass
from ui_extensions.console.doorkeeper import Doorkeeper, anyone, needs
from ui_extensions.sign_in import CONSOLE_CALLBACK, OAuth2SignIn, new_verifier

_WINDOW_SECONDS = 300.0
_TRIES_A_LOGIN, _TRIES_AN_ADDRESS, _TRIES_IN_ALL = 5, 20, 100
_MOST_KEYS = 5_000
_LONGEST, _LONGEST_CODE, _LONGEST_WORD = 200, 1_000, 8_000
_NOT_SENT = "The helpdesk's word for you was used before, is too old, or is not from there. Press the button in the helpdesk again."


class Tries:
    """Counts tries to sign in, of this process: so many in five minutes by login, by address and in all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def count(self, login: str, address: str) -> None:
        """Count one more.

        Raises:
            TooManyRequests: there were too many.
        """
        limits = {("address", address): _TRIES_AN_ADDRESS, ("all", ""): _TRIES_IN_ALL}
        if login:
            limits["login", login.casefold()] = _TRIES_A_LOGIN
        now = time.monotonic()
        with self._lock:
            for key, most in limits.items():
                times = self._times.setdefault(key, deque())
                self._times.move_to_end(key)
                while times and now - times[0] > _WINDOW_SECONDS:
                    times.popleft()
                if len(times) >= most:
                    raise TooManyRequests("Too many tries to sign in. Wait five minutes, or use a link: crossdesk console link.")
            for key in limits:
                self._times[key].append(now)
            while len(self._times) > _MOST_KEYS:
                self._times.popitem(last=False)


def add_signing_in(app: Flask, bridge: Bridge, admission: Admission, doorkeeper: Doorkeeper) -> None:
    """The pages `/sign-in`, `/enter`, `/hand-over` and `/sign-out`."""
    tries = Tries()
    _add_password(app, admission, doorkeeper, tries)
    _add_oauth2(app, bridge, admission, doorkeeper, tries)
    _add_one_time(app, admission, doorkeeper, tries)

    @app.post("/sign-out")
    @needs(Role.AUDITOR)
    def sign_out() -> Response:
        return doorkeeper.let_out(redirect(url_for("sign_in"), 303))


def _add_password(app: Flask, admission: Admission, doorkeeper: Doorkeeper, tries: Tries) -> None:
    @app.get("/sign-in")
    @anyone
    def sign_in() -> str:
        return _page(admission)

    @app.post("/sign-in")
    @anyone
    def try_to_sign_in() -> Response | tuple[str, int]:
        login, password = request.form.get("login", "").strip()[:_LONGEST], request.form.get("password", "")[:_LONGEST]
        tries.count(login, request.remote_addr or "")
        try:
            session = admission.sign_in(login, password)
        except (CrossdeskError, ConfigError) as problem:
            return _page(admission, problem=str(problem), login=login), 503
        if session is None:
            refusal = "The helpdesk does not know this login and password, or nobody gave you a role here. Nothing was changed."
            return _page(admission, problem=refusal, login=login), 403
        return doorkeeper.let_in(session, redirect(url_for("health"), 303))


def _add_oauth2(app: Flask, bridge: Bridge, admission: Admission, doorkeeper: Doorkeeper, tries: Tries) -> None:
    """By the helpdesk's own page. What goes out comes back to the same browser, once, within ten minutes."""

    def signing_in() -> OAuth2SignIn | None:
        application = admission.ways.oauth2
        if application is None:
            return None
        redirect_uri = bridge.config.public_url.rstrip("/") + CONSOLE_CALLBACK
        return OAuth2SignIn.of(application, redirect_uri=redirect_uri, http=bridge.http("sign-in"))

    @app.get("/sign-in/helpdesk")
    @anyone
    def go_to_helpdesk() -> Response | tuple[str, int]:
        tries.count("", request.remote_addr or "")
        way = signing_in()
        if way is None:
            return _page(admission, problem="Nobody can sign in on the helpdesk's own page here."), 404
        verifier = new_verifier()
        state = bridge.passes.issue(Pass.AWAY, {"verifier": verifier, "visit": doorkeeper.visit()}, seconds=LINK_SECONDS)
        return redirect(way.start(state=state, verifier=verifier), 303)

    @app.get("/sign-in/callback")
    @anyone
    def come_back() -> Response | tuple[str, int]:
        tries.count("", request.remote_addr or "")
        way, state = signing_in(), request.args.get("state", "")[:_LONGEST]
        away = bridge.passes.take(Pass.AWAY, state) if state else None
        if way is None or away is None or not hmac.compare_digest(away["visit"], doorkeeper.visit()):
            problem = (
                "This way back was used before, is older than ten minutes, or was another browser's. Nobody was signed in. Begin again."
            )
            return _page(admission, problem=problem), 403
        try:
            member = way.finish(request.args.get("code", "")[:_LONGEST_CODE], verifier=away["verifier"])
        except CrossdeskError as problem:
            return _page(admission, problem=str(problem)), 503
        session = admission.admit(member)
        if session is None:
            refusal = "The helpdesk did not say who you are, or nobody gave you a role here. Nothing was changed."
            return _page(admission, problem=refusal), 403
        return doorkeeper.let_in(session, redirect(url_for("health"), 303))


def _add_one_time(app: Flask, admission: Admission, doorkeeper: Doorkeeper, tries: Tries) -> None:
    """By a printed link, or by the helpdesk's word for somebody who is signed in there. Looking at either does not use it up."""

    @app.get("/enter")
    @anyone
    def enter() -> str:
        return render_template("enter.html", token=request.args.get("token", "")[:_LONGEST], word="", member=None)

    @app.post("/enter")
    @anyone
    def enter_by_link() -> Response | tuple[str, int]:
        tries.count("", request.remote_addr or "")
        session = admission.redeem(request.form.get("token", "")[:_LONGEST])
        if session is None:
            refusal = "This link was used before, or is older than ten minutes. Print a new one: crossdesk console link --role admin"
            return _page(admission, problem=refusal), 403
        return doorkeeper.let_in(session, redirect(url_for("health"), 303))

    @app.get("/hand-over")
    @anyone
    def sent_over() -> str | tuple[str, int]:
        tries.count("", request.remote_addr or "")
        word = request.args.get("word", "")[:_LONGEST_WORD]
        member = admission.sends_over(word)
        if member is None:
            return _page(admission, problem=_NOT_SENT), 403
        return render_template("enter.html", token="", word=word, member=member)

    @app.post("/hand-over")
    @anyone
    def enter_by_word() -> Response | tuple[str, int]:
        tries.count("", request.remote_addr or "")
        session = admission.hand_over(request.form.get("word", "")[:_LONGEST_WORD])
        if session is None:
            return _page(admission, problem=f"{_NOT_SENT} Or nobody gave you a role here."), 403
        return doorkeeper.let_in(session, redirect(url_for("health"), 303))


def _page(admission: Admission, *, problem: str = "", login: str = "") -> str:
    return render_template("sign_in.html", ways=admission.ways, problem=problem, login=login)
