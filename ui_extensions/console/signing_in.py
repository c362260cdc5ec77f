"""Signing in and out: by the helpdesk's login, or by a link that was printed for one use."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque

from flask import Flask, redirect, render_template, request, url_for
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from plugin.domain.errors import ConfigError, CrossdeskError
from plugin.handlers.admission import Admission, Role
from ui_extensions.console.doorkeeper import Doorkeeper, anyone, needs

_WINDOW_SECONDS = 300.0
_TRIES_A_LOGIN, _TRIES_AN_ADDRESS, _TRIES_IN_ALL = 5, 20, 100
_MOST_KEYS = 5_000
_LONGEST = 200


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


def add_signing_in(app: Flask, admission: Admission, doorkeeper: Doorkeeper) -> None:
    """The pages `/sign-in`, `/enter` and `/sign-out`."""
    tries = Tries()

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

    @app.get("/enter")
    @anyone
    def enter() -> str:
        return render_template("enter.html", token=request.args.get("token", "")[:_LONGEST])

    @app.post("/enter")
    @anyone
    def enter_by_link() -> Response | tuple[str, int]:
        tries.count("", request.remote_addr or "")
        session = admission.redeem(request.form.get("token", "")[:_LONGEST])
        if session is None:
            refusal = "This link was used before, or is older than ten minutes. Print a new one: crossdesk console link --role admin"
            return _page(admission, problem=refusal), 403
        return doorkeeper.let_in(session, redirect(url_for("health"), 303))

    @app.post("/sign-out")
    @needs(Role.AUDITOR)
    def sign_out() -> Response:
        return doorkeeper.let_out(redirect(url_for("sign_in"), 303))


def _page(admission: Admission, *, problem: str = "", login: str = "") -> str:
    return render_template("sign_in.html", asks=admission.asks_helpdesk, problem=problem, login=login)
