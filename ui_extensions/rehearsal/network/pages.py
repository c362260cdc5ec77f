"""The practice network's page: the wall and the private messages, as one of its accounts sees them. Works without script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from ui_extensions.rehearsal import web
from ui_extensions.rehearsal.network import model
from ui_extensions.rehearsal.network.model import Kind, Post, Refused, User
from ui_extensions.rehearsal.network.shelf import Thread
from ui_extensions.rehearsal.network.state import Network


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: as whom, the wall or the private messages (with whom), and what the composer is about."""

    me: User
    name: str
    partner: User
    thread: str = ""
    reply: Post | None = None
    edited: Post | None = None

    def link(self, **changes: str) -> str:
        """The address of this view with something changed; the composer is let go unless it is named."""
        kept = {"as": self.me.handle, "view": self.name, "with": self.partner.handle if self.me.is_company else ""}
        return _page(**{key: value for key, value in (kept | changes).items() if value})


def build(network: Network) -> Blueprint:
    """The page's routes."""
    pages = Blueprint("pages", __name__, template_folder="templates", static_folder="static", static_url_path="/look")
    pages.before_request(web.guard_forms)

    @pages.get("/")
    def show() -> Response:
        view = _view(network)
        return web.live(network.version, lambda tag: _draw(network, view, tag=tag))

    @pages.post("/say")
    def say() -> Any:
        view = _view(network)
        text = request.form.get("text", "").replace("\r\n", "\n").strip()
        try:
            post = _edit(network, view, text) if view.edited else _publish(network, view, text)
        except Refused as refused:
            return _draw(network, view, problem=refused.message, draft=text), refused.status
        return redirect(view.link(view="wall" if post.kind is Kind.POST else "private"), 303)

    @pages.post("/delete")
    def delete() -> Any:
        view = _view(network)
        try:
            network.delete(view.me, request.form.get("post", ""), kind=_kind(view))
        except Refused as refused:
            return _draw(network, view, problem=refused.message), refused.status
        return redirect(view.link(), 303)

    @pages.post("/customers")
    def add_customer() -> Any:
        view = _view(network)
        try:
            customer = network.add_customer(request.form.get("handle", ""), request.form.get("name", ""))
        except Refused as refused:
            return _draw(network, view, problem=refused.message), refused.status
        return redirect(_page(**{"as": customer.handle}), 303)

    @pages.get("/files/<media_id>/<_filename>")
    def file(media_id: str, _filename: str) -> Response:
        try:
            media, content = network.media(media_id)
        except Refused as refused:
            raise NotFound(refused.message) from None
        return web.file_answer(content, content_type=media.content_type, filename=media.filename, inline=web.is_picture(media.content_type))

    return pages


def _page(**query: Any) -> str:
    return url_for("pages.show", **query)


def _view(network: Network) -> View:
    """The view that the request asks for; what does not exist is left out of it."""
    asked = request.values
    people = {user.handle: user for user in (*network.customers(), network.company)}
    first = network.customers()[0]
    me = people.get(asked.get("as", ""), first)
    name = "private" if asked.get("view") == "private" else "wall"
    if dialogue := next((user for user in people.values() if user.user_id == asked.get("dialogue")), None):
        me, name = dialogue, "private"
    other = people.get(asked.get("with", ""), first)
    partner = (first if other.is_company else other) if me.is_company else network.company
    view = View(me, name, partner, thread=asked.get("thread", ""))
    reply = _find(network, view, asked.get("reply", ""))
    edited = _find(network, view, asked.get("edit", ""))
    if edited is not None and edited.author_id != me.user_id:
        edited = None
    return View(me, name, partner, view.thread, reply if edited is None else None, edited)


def _find(network: Network, view: View, post_id: str) -> Post | None:
    try:
        return network.post(post_id, kind=_kind(view), reader=view.me)
    except Refused:
        return None


def _kind(view: View) -> Kind:
    return Kind.MESSAGE if view.name == "private" else Kind.POST


def _publish(network: Network, view: View, text: str) -> Post:
    if request.form.get("reply") and view.reply is None:
        raise Refused(410, "gone", "What you answer was deleted meanwhile. Your text is kept; send it on its own or cancel.")
    kind = Kind.MESSAGE if request.form.get("where") == "private" else Kind.POST
    reply_to = view.reply.post_id if view.reply is not None and view.reply.kind is kind else ""
    to = view.partner.user_id if kind is Kind.MESSAGE else ""
    return network.publish(view.me, text, kind=kind, to=to, reply_to=reply_to, media=_uploads(network, view.me))


def _edit(network: Network, view: View, text: str) -> Post:
    assert view.edited is not None
    kept = [media_id for media_id in view.edited.media if media_id in request.form.getlist("keep")]
    media = [*kept, *_uploads(network, view.me)]
    return network.edit(view.me, view.edited.post_id, kind=view.edited.kind, text=text, media=media)


def _uploads(network: Network, me: User) -> Sequence[str]:
    chosen = [file for file in request.files.getlist("files") if file.filename]
    return [network.upload(me, file.filename or "", file.mimetype, file.read()).media_id for file in chosen]


def _draw(network: Network, view: View, *, tag: str = "", problem: str = "", draft: str | None = None) -> str:
    threads: Sequence[Thread] = ()
    if view.name == "wall":
        threads = network.thread(view.thread) if view.thread else network.wall()
    return render_template(
        "network.html",
        view=view,
        tag=tag,
        problem=problem,
        draft=(view.edited.text if view.edited else "") if draft is None else draft,
        people=[*network.customers(), network.company],
        author=network.user,
        files=network.files,
        threads=threads,
        messages=network.dialogue(view.partner if view.me.is_company else view.me) if view.name == "private" else (),
        text_limit=model.TEXT_LIMIT,
        files_limit=model.FILES_LIMIT,
    )
