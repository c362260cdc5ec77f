"""`/go/TOKEN`: the private page of one conversation. Works without JavaScript, loads nothing, and is kept by no cache and no search engine.

The link stands in public, so it opens a form and nothing else; what was said is shown to the browser alone whose word the customer said in the thread.
What is written is a delivery like any other: kept before it is answered.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, redirect, request
from markupsafe import Markup
from sqlalchemy import Row
from werkzeug.exceptions import RequestEntityTooLarge

from plugin.bootstrap import Bridge, page_place
from plugin.domain.errors import CrossdeskError, StoreUnavailable
from plugin.domain.ids import Place
from plugin.domain.model import File, Stage
from plugin.handlers.receive import Receiver
from plugin.platforms._page import tokens
from plugin.platforms._page.adapter import LONGEST, PageAdapter, Said, event_key
from plugin.policy.safety import proofs
from plugin.store import pages
from plugin.store.database import now
from ui_extensions.panel.rates import Rates
from webhooks import page_files, page_look
from webhooks.page_look import form, plain
from webhooks.page_words import LANGUAGES, words

PATH = "/go/<token>"
WORD_SECONDS = 1800.0
_COOKIE = "crossdesk_page"
_PASSES_A_DAY = 40
_MESSAGES_AN_HOUR = 30


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
            # Only who has proved to be the customer may send files: a stranger with the link can fill no disk and pass nothing on.
            request.max_content_length = page_files.REQUEST_BYTES if visit.is_proved else page_files.SMALL_BYTES
            if request.form.get("act") == "start":
                return self._start(visit)
            if visit.seat is None:
                return self._back(visit)
            return self._send(visit)
        except _Gone:
            return self._gone()
        except _Busy:
            return self._apart("too_many", status=429)
        except RequestEntityTooLarge:
            return self._draw(visit, note=self._too_big(visit), is_bad=True, status=413)
        except StoreUnavailable:
            return self._apart("away", status=503)
        finally:
            # Big files were put on the disk meanwhile.
            request.close()

    def _too_big(self, visit: _Visit) -> str:
        return visit.words["files_whole" if visit.is_proved else "too_much"].format(most=page_files.megabytes(page_files.WHOLE_BYTES))

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
        files: tuple[File, ...] = ()
        try:
            self._check_seal(visit, nonce, request.form.get("seal", ""))
            if visit.is_proved:
                files = page_files.read(request.files.getlist("files"))
            self._check(visit, said, files)
        except page_files.Refused as refused:
            note = visit.words[refused.code].format(**refused.told)
            return self._draw(visit, note=note, is_bad=True, draft=said, status=429 if refused.code == "too_many" else 422)
        if self._was_sent(visit, nonce):
            return self._back(visit, "?said=kept")
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
            files=files,
        )
        try:
            self._receiver.receive(visit.place, self._adapter.receipt(written))
        except StoreUnavailable:
            return self._draw(visit, note=visit.words["away"], is_bad=True, draft=said, status=503)
        return self._back(visit, "?said=kept")

    def _check_seal(self, visit: _Visit, nonce: str, seal: str) -> None:
        if not hmac.compare_digest(seal.encode("utf-8", "replace"), self._seal(visit, nonce).encode()):
            raise page_files.Refused("stale")

    def _was_sent(self, visit: _Visit, nonce: str) -> bool:
        """Pressed twice, or loaded again: its files need not be kept once more."""
        with self._bridge.database.begin() as connection:
            return pages.is_known(connection, visit.place, event_key(visit.seat.id if visit.seat is not None else 0, nonce))

    def _check(self, visit: _Visit, said: str, files: Sequence[File]) -> None:
        if not (said or files) or "\x00" in said:
            raise page_files.Refused("empty")
        if len(said) > LONGEST:
            raise page_files.Refused("too_long", length=f"{len(said):,}", most=f"{LONGEST:,}")
        with self._bridge.database.begin() as connection:
            written = pages.written(connection, visit.place, visit.thread)
        if written.messages >= _MESSAGES_AN_HOUR:
            raise page_files.Refused("too_many")
        if files and written.file_bytes + sum(len(file.content) for file in files) > page_files.DAY_BYTES:
            raise page_files.Refused("files_day", most=page_files.megabytes(page_files.DAY_BYTES))

    # What is shown

    def _draw(self, visit: _Visit, *, note: str = "", is_bad: bool = False, draft: str = "", status: int = 200) -> Response:
        told = visit.words
        parts = [Markup('<p class="note{}" role="status">{}</p>').format(" bad" if is_bad else "", note)] if note else []
        if visit.talk.ticket_number and visit.is_proved:
            parts.append(Markup("<p>{}</p>").format(told["ticket"].format(number=visit.talk.ticket_number)))
        if visit.seat is None:
            parts += [
                Markup("<p>{}</p>").format(told["intro"]),
                form(Markup('<input type="hidden" name="act" value="start"><button>{}</button>').format(told["start"])),
                Markup('<p class="small">{}</p>').format(told["cookie"]),
            ]
            return plain(told, visit.language, Markup("").join(parts), status=status)
        parts.append(Markup('<p class="note">{}</p>').format(told["proved"]) if visit.is_proved else self._proving(visit))
        if visit.is_solved and visit.is_proved:
            parts.append(Markup("<p><strong>{}</strong></p>").format(told["solved"]))
        parts += [self._thread(visit), self._writing(visit, draft)]
        return plain(told, visit.language, Markup("").join(parts), status=status)

    def _proving(self, visit: _Visit) -> Markup:
        told = visit.words
        return Markup(
            '<h2>{}</h2><ol><li>{} <strong class="word" translate="no">{}</strong></li><li>{}</li></ol><p class="note bad">{}</p><p class="small">{}</p>'
            '<form method="get"><input type="hidden" name="said" value="check"><button>{}</button></form>'
        ).format(told["prove"], told["prove_1"], self._word(visit.secret), told["prove_2"], told["warning"], told["prove_3"], told["check"])

    def _thread(self, visit: _Visit) -> Markup:
        with self._bridge.database.begin() as connection:
            rows = pages.shown(connection, visit.place, visit.thread, with_answers=visit.is_proved)
        asked = rows[-1].choices if rows else None
        pressed = page_look.answers(visit.words, asked, self._sealed(visit)) if asked else Markup("")
        again = (
            Markup('<form method="get"><button class="quiet">{}</button></form>').format(visit.words["reload"])
            if visit.is_proved
            else Markup("")
        )
        return Markup("<h2>{}</h2>{}{}{}").format(visit.words["written"], page_look.said(visit.words, rows), pressed, again)

    def _writing(self, visit: _Visit, draft: str) -> Markup:
        told = visit.words
        before = Markup("") if visit.is_proved else Markup("<p>{}</p>").format(told["before"])
        return form(
            Markup(
                '{}<h2><label for="words">{}</label></h2><p id="hint" class="small">{}</p>'
                '<textarea id="words" name="words" maxlength="{}" aria-describedby="hint"{}>{}</textarea>{}{}<button>{}</button>'
            ).format(
                before,
                told["label"],
                told["hint"].format(most=f"{LONGEST:,}"),
                LONGEST,
                "" if visit.is_proved else Markup(" required"),
                draft,
                page_look.files_field(told) if visit.is_proved else Markup(""),
                self._sealed(visit),
                told["send"],
            ),
            has_files=visit.is_proved,
        )

    def _sealed(self, visit: _Visit) -> Markup:
        """What makes a form this browser's own, and one message however often it is sent."""
        nonce = secrets.token_hex(16)
        return Markup('<input type="hidden" name="nonce" value="{}"><input type="hidden" name="seal" value="{}">').format(
            nonce, self._seal(visit, nonce)
        )

    def _gone(self) -> Response:
        return self._apart("gone", title="gone_title", status=404)

    def _apart(self, text: str, *, title: str = "title", status: int) -> Response:
        """A page that belongs to no conversation, in the browser's language."""
        language = request.accept_languages.best_match(LANGUAGES) or "en"
        told = words(language)
        return plain({**told, "title": told[title]}, language, Markup("<p>{}</p>").format(told[text]), status=status)

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
