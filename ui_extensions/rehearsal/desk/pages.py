"""The desk's ticket view: tickets, one ticket's articles, and a composer, as one of the agents sees them.

It draws what the desk holds; whatever an agent does, the browser does through the desk's own HTTP API with the agent's token, as the real
page does. Knows nothing of the bridge but the marks that it leaves on tickets and articles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import nh3
from flask import Blueprint, Flask, Response, render_template, request, url_for
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from ui_extensions.rehearsal import web
from ui_extensions.rehearsal.desk.app import EXTENSION, Parts, Staff
from ui_extensions.rehearsal.desk.asking import may_read
from ui_extensions.rehearsal.desk.relay import Relay, make_relay
from ui_extensions.rehearsal.desk.rows import (
    AGENT,
    CUSTOMER,
    MERGED,
    NOBODY,
    PRIORITIES,
    STATES,
    TYPES,
    Article,
    Group,
    StoredFile,
    Ticket,
    User,
)
from ui_extensions.rehearsal.desk.state import Desk

TICKETS = 100
"""How many tickets the list shows."""
_BRIDGE_MARK = "crossdesk:"
_SETTABLE_STATES = (1, 2, 4)
_TAGS = {"a", "b", "blockquote", "br", "code", "del", "div", "em", "i", "li", "ol", "p", "pre", "s", "span", "strong", "u", "ul"}


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as it is drawn. `kind`: `customer`, `agent`, `native` (staff on the platform itself), `bridge` (its notes) or `system`."""

    article: Article
    kind: str
    author: User | None
    body: Markup
    files: Sequence[StoredFile]
    source: str
    """The original post's address."""
    can_flip: bool


class Pages:
    """The view's routes and what they need."""

    def __init__(self, parts: Parts, agents: Sequence[Staff], *, has_panel: bool) -> None:
        self._desk: Desk = parts.desk
        self._has_panel = has_panel
        self._agents = {agent.login.lower(): agent for agent in agents}
        self._changes = count(1)
        self.version = 0
        parts.desk.listeners.append(self._changed)

    def blueprint(self) -> Blueprint:
        """The routes."""
        pages = Blueprint("desk_pages", __name__, template_folder="templates", static_folder="static", static_url_path="/look")
        pages.add_url_rule("/", "show", self._show)
        pages.add_url_rule("/files/<int:file_id>/<_filename>", "file", self._file)
        return pages

    def _changed(self) -> None:
        self.version = next(self._changes)

    def _show(self) -> Response:
        return web.live(f"{id(self)}-{self.version}", self._draw)

    def _draw(self, tag: str) -> str:
        agent = self._agents.get(request.args.get("agent", "").lower()) or next(iter(self._agents.values()))
        me = self._desk.user_called(agent.login)
        assert me is not None
        with self._desk.lock:
            readable = [ticket for ticket in reversed(self._desk.tickets_after("")) if may_read(ticket, me)]
            chosen = self._chosen(me)
            return render_template(
                "desk.html",
                tag=tag,
                me=me,
                token=agent.token,
                agents=[self._desk.user_called(login) for login in self._agents],
                tickets=readable[:TICKETS],
                hidden=max(0, len(readable) - TICKETS),
                chosen=chosen,
                entries=[self._entry(article) for article in self._desk.articles_of(chosen.id)] if chosen else (),
                marks=marks,
                customer=self._customer,
                states=STATES,
                settable_states=_SETTABLE_STATES,
                merged=MERGED,
                priorities=PRIORITIES,
                groups=[group for group in self._desk.all(Group) if group.id in me.group_ids],
                owners=[user for user in self._desk.all(User) if user.is_agent and chosen and chosen.group_id in user.group_ids],
                nobody=NOBODY,
                merged_into=self._merged_into(chosen) if chosen else None,
                link=lambda ticket: url_for("desk_pages.show", agent=me.login, ticket=ticket.id),
                moment=datetime.fromisoformat,
                types=TYPES,
                relayed=self._has_panel,
                has_panel=self._has_panel and chosen is not None and bool(marks(chosen)["channel"]),
            )

    def _chosen(self, me: User) -> Ticket | None:
        wanted = request.args.get("ticket", "")
        ticket = self._desk.get(Ticket, int(wanted)) if wanted.isascii() and wanted.isdigit() and len(wanted) < 12 else None
        return ticket if ticket is not None and may_read(ticket, me) else None

    def _customer(self, ticket: Ticket) -> User:
        found = self._desk.get(User, ticket.customer_id)
        assert found is not None
        return found

    def _merged_into(self, ticket: Ticket) -> Ticket | None:
        if ticket.state_id != MERGED:
            return None
        links = self._desk.links_of(ticket.id)
        return next((self._desk.get(Ticket, link.target_id) for link in links if link.source_id == ticket.id), None) or next(
            (self._desk.get(Ticket, link.source_id) for link in links if link.target_id == ticket.id), None
        )

    def _entry(self, article: Article) -> Entry:
        is_bridges = (article.message_id or "").startswith(_BRIDGE_MARK)
        if article.sender_id == CUSTOMER:
            kind = "customer"
        elif article.sender_id != AGENT:
            kind = "system"
        elif is_bridges:
            kind = "bridge" if article.internal else "native"
        else:
            kind = "agent"
        links = article.preferences.get("links")
        source = str(links[0].get("url", "")) if isinstance(links, list) and links and isinstance(links[0], dict) else ""
        return Entry(
            article=article,
            kind=kind,
            author=self._desk.get(User, article.origin_by_id or article.created_by_id),
            body=drawn(article),
            files=self._desk.files_of(article),
            source=source if source.startswith(("https://", "http://")) else "",
            can_flip=kind == "agent",
        )

    def _file(self, file_id: int, _filename: str) -> Response:
        file = self._desk.get(StoredFile, file_id)
        if file is None:
            raise NotFound("There is no such file.")
        content_type = str(file.preferences.get("Mime-Type") or "application/octet-stream").partition(";")[0].strip().lower()
        is_picture = web.is_picture(content_type)
        return web.file_answer(self._desk.file_content(file.id), content_type=content_type, filename=file.filename, inline=is_picture)


def add_pages(app: Flask, *, agents: Sequence[Staff], relay: Relay | None = None) -> None:
    """Give a desk (`create_desk`) its ticket view, as seen by these agents: one or more. With a relay the bridge's panel stands beside the ticket."""
    web.furnish(app)
    parts: Parts = app.extensions[EXTENSION]
    app.register_blueprint(Pages(parts, agents, has_panel=relay is not None).blueprint())
    if relay is not None:
        app.register_blueprint(make_relay(parts.desk, relay, [agent.login for agent in agents]))


def marks(ticket: Ticket) -> dict[str, str]:
    """What the bridge noted on a ticket: `channel`, `platform`, `visibility`, `stage`; each may be empty."""
    own = ticket.preferences.get("crossdesk")
    noted: dict[str, Any] = own if isinstance(own, dict) else {}
    return {name: str(noted.get(name) or "") for name in ("channel", "platform", "visibility")} | {
        "stage": str(ticket.preferences.get("crossdesk_stage") or "")
    }


def drawn(article: Article) -> Markup:
    """An article's words as safe HTML: plain text is escaped, HTML goes through a tiny allow-list again."""
    if article.content_type != "text/html":
        return web.linked(article.body)
    return Markup(  # noqa: S704 - cleaned on the spot
        nh3.clean(
            article.body,
            tags=_TAGS,
            attributes={"a": {"href"}},
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer nofollow",
        )
    )
