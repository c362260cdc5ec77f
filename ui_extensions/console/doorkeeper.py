"""Who may see and press what in the console: sessions, forms that only our own pages send and that count once, and headers.

Every view needs a session unless `anyone` marks it; `needs` says which role. A view that changes something is a POST, and passes `_check_form`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, g, redirect, request, url_for
from markupsafe import Markup
from werkzeug.exceptions import Conflict, Forbidden
from werkzeug.wrappers import Response as AnyResponse

from plugin.handlers.admission import Admission, Person, Role
from plugin.store.passes import Passes

View = TypeVar("View", bound=Callable[..., Any])
FORM_SECONDS = 43_200
_POLICY = (
    "default-src 'none'; script-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""There is no script at all, so none is let in, not even by nonce."""


def anyone(view: View) -> View:
    """Let people in who have not signed in."""
    view.console_role = None  # type: ignore[attr-defined]
    return view


def needs(role: Role) -> Callable[[View], View]:
    """Let in those alone whose role covers `role`."""

    def mark(view: View) -> View:
        view.console_role = role  # type: ignore[attr-defined]
        return view

    return mark


class Doorkeeper:
    """Stands before every view of one application."""

    def __init__(self, admission: Admission, passes: Passes, *, is_secure: bool) -> None:
        self._admission = admission
        self._passes = passes
        self._is_secure = is_secure
        prefix = "__Host-" if is_secure else ""
        self._session = f"{prefix}crossdesk"
        self._visit = f"{prefix}crossdesk-visit"

    def guard(self, app: Flask) -> None:
        """Stand before `app`."""
        app.before_request(lambda: self._enter(app))
        app.after_request(self._leave)
        app.jinja_env.globals.update(form_fields=self._form_fields, person=lambda: g.get("person"))

    def let_in(self, session: str, answer: AnyResponse) -> AnyResponse:
        """Have the browser carry a session."""
        self._set(answer, self._session, session)
        answer.delete_cookie(self._visit, path="/", secure=self._is_secure, httponly=True, samesite="Lax")
        return answer

    def visit(self) -> str:
        """What tells this browser from others, as a digest, before and after it signs in."""
        return hashlib.sha256(g.token.encode("utf-8", "replace")).hexdigest()

    def let_out(self, answer: AnyResponse) -> AnyResponse:
        """End the session."""
        self._admission.sign_out(g.token)
        answer.delete_cookie(self._session, path="/", secure=self._is_secure, httponly=True, samesite="Lax")
        return answer

    def _enter(self, app: Flask) -> AnyResponse | None:
        g.person, g.token, g.new_visit = None, "", ""
        if request.endpoint == "static" or request.endpoint is None:
            return None
        view = app.view_functions[request.endpoint]
        needed: Role | None = getattr(view, "console_role", Role.AUDITOR if request.method in {"GET", "HEAD"} else Role.ADMIN)
        g.token = request.cookies.get(self._session, "")
        g.person = self._admission.who(g.token) if g.token else None
        if g.person is None:
            g.token = request.cookies.get(self._visit, "")
            if not g.token:
                g.token = g.new_visit = secrets.token_urlsafe(24)
        if needed is not None and g.person is None:
            if request.method in {"GET", "HEAD"}:
                return redirect(url_for("sign_in"), 303)
            raise Forbidden("Your session has ended; nothing was changed. Sign in again.")
        if needed is not None and not _person().role.covers(needed):
            raise Forbidden(f"This needs the role {needed.value}, and yours is {_person().role.value}; nothing was changed.")
        if request.method not in {"GET", "HEAD"}:
            self._check_form(counts_once=needed is not None)
        return None

    def _check_form(self, *, counts_once: bool) -> None:
        """Take changes from our own pages only, and each form once.

        Raises:
            Forbidden: the form is not from a page that this person was shown.
            Conflict: this very form was sent before.
        """
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        mark = request.form.get("csrf", "")
        if site not in {"same-origin", "none"} or not hmac.compare_digest(mark.encode("utf-8", "replace"), _mark(g.token).encode()):
            raise Forbidden(
                "This form did not come from a page of this console, or its session has ended; nothing was changed. Open the page again."
            )
        if counts_once and not self._passes.spend(request.form.get("once", ""), seconds=FORM_SECONDS):
            raise Conflict("This very form was sent before; nothing was done again.")

    def _form_fields(self) -> Markup:
        return Markup('<input type="hidden" name="csrf" value="{}"><input type="hidden" name="once" value="{}">').format(
            _mark(g.token), secrets.token_urlsafe(16)
        )

    def _leave(self, answer: Response) -> Response:
        if g.get("new_visit"):
            self._set(answer, self._visit, g.new_visit)
        headers = answer.headers
        headers["Content-Security-Policy"] = _POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        if self._is_secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.endpoint != "static":
            headers["Cache-Control"] = "no-store"
        return answer

    def _set(self, answer: AnyResponse, name: str, value: str) -> None:
        answer.set_cookie(name, value, path="/", secure=self._is_secure, httponly=True, samesite="Lax")


def actor() -> str:
    """Whose act this is, for the audit."""
    return _person().login


def _person() -> Person:
    found = g.person
    assert isinstance(found, Person)
    return found


def _mark(token: str) -> str:
    """What proves that a form is from a page that was shown to the holder of `token`."""
    return hmac.new(token.encode("utf-8", "replace"), b"crossdesk console form", hashlib.sha256).hexdigest()
