"""`/go/TOKEN`: the private page of one conversation. Works without JavaScript, loads nothing, and is kept by no cache and no search engine.

The link stands in public, so it opens a form and nothing else; what was said is shown to the browser alone whose word the customer said in the thread.
What is written is a delivery like any other: kept before it is answered.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, redirect, request
from markupsafe import Markup, escape
from sqlalchemy import Row

from plugin.bootstrap import Bridge, page_place
from plugin.domain.errors import CrossdeskError, StoreUnavailable
from plugin.domain.ids import Place
from plugin.domain.model import Stage
from plugin.handlers.receive import Receiver
from plugin.platforms._page import tokens
from plugin.platforms._page.adapter import LONGEST, PageAdapter, Said
from plugin.policy.safety import proofs
from plugin.store import pages
from plugin.store.database import now
from ui_extensions.panel.rates import Rates
from webhooks.page_words import LANGUAGES, words

PATH = "/go/<token>"
WORD_SECONDS = 1800.0
_COOKIE = "crossdesk_page"
_PASSES_A_DAY = 40
_MESSAGES_AN_HOUR = 30
_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}"
    "h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}textarea,button{font:inherit;width:100%;box-sizing:border-box}"
    "textarea{min-height:9rem;padding:.5rem;border:1px solid #555}button{padding:.7rem;margin-top:.6rem;border:1px solid #124;background:#124a80;"
    "color:#fff;border-radius:.3rem}button.quiet{background:#fff;color:#124a80}:focus-visible{outline:3px solid #d07000;outline-offset:2px}"
    ".word{font:1.4rem ui-monospace,monospace;background:#eef3f8;padding:.6rem;display:block;overflow-wrap:anywhere}.note{border-left:.3rem solid "
    "#124a80;padding:.4rem .8rem;background:#eef3f8}.bad{border-color:#a30000;background:#fdeeee}ol.said{list-style:none;padding:0}ol.said li{border:1px "
    "solid #ccc;border-radius:.3rem;padding:.5rem .8rem;margin:.5rem 0;white-space:pre-wrap;overflow-wrap:anywhere;overflow:clip}ol.said .who{font-weight:600;"
    "display:block}.small{font-size:.95rem;color:#444}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """One request: whose page it is, and what the browser may see."""

    token: str
    talk: Row[Any]
    words: Mapping[str, str]
    language: str
    secret: str = ""
    seat: Row[Any] | None = None
    """The browser's pass."""

    @property
    def thread(self) -> str:
        """The browser's own thread on the page."""
        return f"{self.talk.id}:{self.seat.id if self.seat is not None else 0}"

    @property
    def place(self) -> Place:
        """Where it comes from."""
        return page_place(str(self.talk.helpdesk).partition(":")[2])

    @property
    def is_proved(self) -> bool:
        """Whether the customer said this browser's word."""
        return self.seat is not None and self.seat.proved_at is not None

    @property
    def is_solved(self) -> bool:
        """Whether the ticket has ended, as far as this browser may know."""
        return str(self.talk.lead_stage or self.talk.stage) == Stage.RESOLVED


class _Gone(Exception):
    """The link leads nowhere."""


class _Busy(Exception):
    """Too many requests at once."""


class Page:
    """The private pages of an installation."""

    def __init__(self, bridge: Bridge, receiver: Receiver, adapter: PageAdapter) -> None:
        self._bridge, self._receiver, self._adapter = bridge, receiver, adapter
        self._key = hmac.new(bridge.keys[0].encode(), b"crossdesk private page forms 1", hashlib.sha256).digest()
        self._rates = Rates(a_second=1.0, at_once=60)
        self._is_https = bridge.config.public_url.lower().startswith("https://")

    def show(self, token: str) -> Response:
        """The page as it is for this browser now."""
        try:
            visit = self._visit(token)
        except _Gone:
            return self._gone()
        except _Busy:
            return self._apart("too_many", status=429)
        except CrossdeskError:
            return self._apart("away", status=503)
        said = request.args.get("said", "")
        note = visit.words["kept"] if said == "kept" else visit.words["not_yet"] if said == "check" and not visit.is_proved else ""
        return self._draw(visit, note=note)

    def take(self, token: str) -> Response:
        """A press on the page: begin, look again, or send."""
        try:
            visit = self._visit(token)
            if request.form.get("act") == "start":
                return self._start(visit)
            if visit.seat is None:
                return self._back(visit)
            return self._send(visit)
        except _Gone:
            return self._gone()
        except _Busy:
            return self._apart("too_many", status=429)
        except StoreUnavailable:
            return self._apart("away", status=503)

    # What comes

    def _visit(self, token: str) -> _Visit:
        secret = request.cookies.get(_COOKIE, "")[:200]
        # Who has no pass shares the page's own tries, so that nobody can shut out those who have one.
        if self._rates.wait(secret or token[:64]):
            raise _Busy
        with self._bridge.database.begin() as connection:
            conversation = tokens.read(self._bridge.keys, token, now=now(connection))
            talk = pages.conversation(connection, conversation) if conversation is not None else None
            if talk is None:
                raise _Gone
            seat = pages.read(connection, talk.id, secret) if secret else None
        spoken = (talk.language or (talk.profile or {}).get("language") or self._bridge.config.language or "en").partition("-")[0].lower()
        language = spoken if spoken in LANGUAGES else "en"
        return _Visit(token=token, talk=talk, words=words(language), language=language, secret=secret, seat=seat)

    def _start(self, visit: _Visit) -> Response:
        """A new pass for this browser, with a word of its own."""
        answer = self._back(visit)
        if visit.seat is not None:
            return answer
        secret = secrets.token_urlsafe(32)
        with self._bridge.database.begin() as connection:
            if pages.count_new(connection, visit.talk.id) >= _PASSES_A_DAY:
                return self._draw(visit, note=visit.words["too_many"], is_bad=True, status=429)
            pages.issue(connection, visit.talk.id, secret=secret, word=self._word(secret), seconds=WORD_SECONDS)
        lifetime = self._bridge.config.policy.handoff.page_open_for
        answer.set_cookie(
            _COOKIE, secret, max_age=lifetime, path=f"/go/{visit.token}", secure=self._is_https, httponly=True, samesite="Lax"
        )
        return answer

    def _send(self, visit: _Visit) -> Response:
        assert visit.seat is not None, "who has no pass was sent back"
        said, nonce = request.form.get("words", "").replace("\r\n", "\n").strip(), request.form.get("nonce", "")
        problem = self._problem(visit, said, nonce, request.form.get("seal", ""))
        if problem:
            return self._draw(visit, note=problem, is_bad=True, draft=said, status=429 if problem == visit.words["too_many"] else 422)
        profile = visit.talk.profile or {}
        name = profile.get("display_name") or profile.get("handle") or "Customer"
        written = Said(
            conversation=visit.talk.id,
            visit=visit.seat.id,
            nonce=nonce,
            words=said,
            name=f"{name} (by the private page)" if visit.is_proved else "A visitor of the private page",
            language=visit.language,
            at=visit.talk.now,
        )
        try:
            self._receiver.receive(visit.place, self._adapter.receipt(written))
        except StoreUnavailable:
            return self._draw(visit, note=visit.words["away"], is_bad=True, draft=said, status=503)
        return self._back(visit, "?said=kept")

    def _problem(self, visit: _Visit, said: str, nonce: str, seal: str) -> str:
        if not hmac.compare_digest(seal.encode("utf-8", "replace"), self._seal(visit, nonce).encode()):
            return visit.words["stale"]
        if not said or "\x00" in said:
            return visit.words["empty"]
        if len(said) > LONGEST:
            return visit.words["too_long"].format(length=f"{len(said):,}", most=f"{LONGEST:,}")
        with self._bridge.database.begin() as connection:
            written = pages.count_written(connection, visit.place, visit.thread)
        return visit.words["too_many"] if written >= _MESSAGES_AN_HOUR else ""

    # What is shown

    def _draw(self, visit: _Visit, *, note: str = "", is_bad: bool = False, draft: str = "", status: int = 200) -> Response:
        told = visit.words
        parts = [Markup('<p class="note{}" role="status">{}</p>').format(" bad" if is_bad else "", note)] if note else []
        if visit.talk.ticket_number and visit.is_proved:
            parts.append(Markup("<p>{}</p>").format(told["ticket"].format(number=visit.talk.ticket_number)))
        if visit.seat is None:
            parts += [
                Markup("<p>{}</p>").format(told["intro"]),
                self._form(Markup('<input type="hidden" name="act" value="start"><button>{}</button>').format(told["start"])),
                Markup('<p class="small">{}</p>').format(told["cookie"]),
            ]
            return self._plain(told, visit.language, Markup("").join(parts), status=status)
        parts.append(Markup('<p class="note">{}</p>').format(told["proved"]) if visit.is_proved else self._proving(visit))
        if visit.is_solved and visit.is_proved:
            parts.append(Markup("<p><strong>{}</strong></p>").format(told["solved"]))
        parts += [self._thread(visit), self._writing(visit, draft)]
        return self._plain(told, visit.language, Markup("").join(parts), status=status)

    def _proving(self, visit: _Visit) -> Markup:
        told = visit.words
        return Markup(
            '<h2>{}</h2><ol><li>{} <strong class="word" translate="no">{}</strong></li><li>{}</li></ol><p class="note bad">{}</p><p class="small">{}</p>'
            '<form method="get"><input type="hidden" name="said" value="check"><button>{}</button></form>'
        ).format(told["prove"], told["prove_1"], self._word(visit.secret), told["prove_2"], told["warning"], told["prove_3"], told["check"])

    def _thread(self, visit: _Visit) -> Markup:
        with self._bridge.database.begin() as connection:
            rows = pages.shown(connection, visit.place, visit.thread, with_answers=visit.is_proved)
        lines = [
            Markup('<li><span class="who">{} <time datetime="{}">{}</time></span>{}</li>').format(
                visit.words["you" if row.who == "customer" else row.who],
                row.at.isoformat(),
                f"{row.at:%Y-%m-%d %H:%M} UTC",
                row.words or "",
            )
            for row in rows
        ]
        body = (
            Markup('<ol class="said">{}</ol>').format(Markup("").join(lines))
            if lines
            else Markup("<p>{}</p>").format(visit.words["nothing"])
        )
        again = (
            Markup('<form method="get"><button class="quiet">{}</button></form>').format(visit.words["reload"])
            if visit.is_proved
            else Markup("")
        )
        return Markup("<h2>{}</h2>{}{}").format(visit.words["written"], body, again)

    def _writing(self, visit: _Visit, draft: str) -> Markup:
        told, nonce = visit.words, secrets.token_hex(16)
        before = Markup("") if visit.is_proved else Markup("<p>{}</p>").format(told["before"])
        return self._form(
            Markup(
                '{}<h2><label for="words">{}</label></h2><p id="hint" class="small">{}</p>'
                '<textarea id="words" name="words" maxlength="{}" aria-describedby="hint" required>{}</textarea>'
                '<input type="hidden" name="nonce" value="{}"><input type="hidden" name="seal" value="{}"><button>{}</button>'
            ).format(
                before,
                told["label"],
                told["hint"].format(most=f"{LONGEST:,}"),
                LONGEST,
                draft,
                nonce,
                self._seal(visit, nonce),
                told["send"],
            )
        )

    def _form(self, inner: Markup) -> Markup:
        return Markup('<form method="post">{}</form>').format(inner)

    def _gone(self) -> Response:
        return self._apart("gone", title="gone_title", status=404)

    def _apart(self, text: str, *, title: str = "title", status: int) -> Response:
        """A page that belongs to no conversation, in the browser's language."""
        language = request.accept_languages.best_match(LANGUAGES) or "en"
        told = words(language)
        return self._plain({**told, "title": told[title]}, language, Markup("<p>{}</p>").format(told[text]), status=status)

    def _plain(self, told: Mapping[str, str], language: str, body: Markup, *, status: int = 200) -> Response:
        nonce = secrets.token_urlsafe(16)
        html = (
            f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta name="robots" content="noindex, nofollow"><title>{escape(told["title"])}</title><style nonce="{nonce}">{_STYLE}</style></head>'
            f"<body><main><h1>{escape(told['title'])}</h1>{body}</main></body></html>"
        )
        answer = Response(html, status=status, content_type="text/html; charset=utf-8")
        answer.headers.update(
            {
                "Cache-Control": "no-store",
                "Content-Security-Policy": f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
                "Cross-Origin-Opener-Policy": "same-origin",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
                "X-Robots-Tag": "noindex, nofollow, noarchive",
            }
        )
        return answer

    def _back(self, visit: _Visit, query: str = "") -> Response:
        answer = redirect(f"/go/{visit.token}{query}", 303)
        answer.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
        return answer  # type: ignore[return-value] # werkzeug's answer is Flask's here

    def _word(self, secret: str) -> str:
        """The word of a browser: nobody can tell it who has not its secret."""
        return proofs.word_from(hmac.new(self._key, b"word" + secret.encode(), hashlib.sha256).digest())

    def _seal(self, visit: _Visit, nonce: str) -> str:
        """Holds a form to its browser and page."""
        return hmac.new(self._key, f"form\n{visit.secret}\n{visit.token}\n{nonce}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def add_page(app: Flask, bridge: Bridge, receiver: Receiver) -> None:
    """Answer the addresses of private pages, where the policy has them."""
    policy = bridge.installation.policy
    if policy is None or not isinstance(policy.page, PageAdapter):
        return
    page = Page(bridge, receiver, policy.page)
    app.add_url_rule(PATH, "private_page", page.show, methods=["GET"])
    app.add_url_rule(PATH, "private_page_press", page.take, methods=["POST"])
