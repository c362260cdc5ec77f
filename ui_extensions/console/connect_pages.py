"""The connect wizard: choose, credentials, test, routing, go live. Each step is a page of its own that outlives a reload; nothing works before the last.

What a step means stands in `plugin.handlers.channel_making`; here it is worded, and secrets go in but never out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from flask import Flask, redirect, render_template, request, url_for
from werkzeug.exceptions import Conflict, NotFound
from werkzeug.wrappers import Response

from plugin.bootstrap import Bridge
from plugin.config import LateMessages
from plugin.config.answers import Kind, Question, questions, typed
from plugin.contracts.capabilities import Level
from plugin.contracts.platform import Connects, NamesItsAddress, Platform, PrintsRegistration, RegistersWebhook
from plugin.domain.errors import ConfigError, CrossdeskError
from plugin.domain.ids import ChannelKey, channel_place
from plugin.handlers import operate
from plugin.handlers.admission import Role
from plugin.handlers.channel_making import Changed, Routing
from plugin.store.channels import MadeChannel, draft_place
from ui_extensions.console import search_rows
from ui_extensions.console.channel_hints import hints
from ui_extensions.console.doorkeeper import actor, needs

Result = TypeVar("Result")
STEPS = (("credentials", "Credentials"), ("test", "Test"), ("routing", "Routing"), ("live", "Go live"))
_LONGEST = 20_000
_CHOSEN = ("helpdesk", "group", "late")
_LATE = {
    LateMessages.REOPEN: "opens the ticket again",
    LateMessages.FOLLOW_UP: "opens a new ticket that is linked to the old one",
    LateMessages.NEW: "opens a new ticket",
}


def add_connect_pages(app: Flask, bridge: Bridge) -> None:
    """`/connect` and `/connect/<key>/<step>`."""
    maker = bridge.channels

    @app.get("/connect")
    @needs(Role.ADMIN)
    def connect() -> str:
        return _choose(bridge)

    @app.post("/connect")
    @needs(Role.ADMIN)
    def begin() -> Response | tuple[str, int]:
        key, platform = request.form.get("key", "").strip()[:100], request.form.get("platform", "")[:100]
        try:
            maker.begin(key, platform, actor=actor())
        except ConfigError as problem:
            return _choose(bridge, key=key, platform=platform, problem=str(problem)), 400
        return redirect(url_for("connect_step", key=key, step="credentials"), 303)

    @app.get("/connect/<key>")
    @needs(Role.ADMIN)
    def resume_draft(key: str) -> Response:
        return redirect(url_for("connect_step", key=key, step=_next_step(bridge, _draft(bridge, key))), 303)

    @app.get("/connect/<key>/<any(credentials, test, routing, live):step>")
    @needs(Role.ADMIN)
    def connect_step(key: str, step: str) -> str:
        return _page(bridge, _draft(bridge, key), step)

    @app.post("/connect/<key>/credentials")
    @needs(Role.ADMIN)
    def save_credentials(key: str) -> Response | tuple[str, int]:
        draft = _draft(bridge, key)
        given = {name: value[:_LONGEST] for name, value in request.form.items()}
        forget = set(request.form.getlist("forget"))
        answers = _unless_changed(lambda: maker.fill(key, given, forget=forget, version=_version(), actor=actor()))
        if answers.problems:
            # Secrets that could be used are kept already, so nobody types them twice.
            return _page(bridge, _draft(bridge, key), "credentials", problems=answers.problems, given=_shown(bridge, draft, given)), 400
        return redirect(url_for("connect_step", key=key, step="test"), 303)

    @app.post("/connect/<key>/test")
    @needs(Role.ADMIN)
    def run_test(key: str) -> Response:
        _draft(bridge, key)
        maker.test(key, actor=actor())
        return redirect(url_for("connect_step", key=key, step="test"), 303)

    @app.post("/connect/<key>/account")
    @needs(Role.ADMIN)
    def connect_account(key: str) -> str:
        draft = _draft(bridge, key)
        address = bridge.connector().begin(draft_place(key), actor=actor())
        return _page(bridge, draft, "test", address=address)

    @app.post("/connect/<key>/routing")
    @needs(Role.ADMIN)
    def save_routing(key: str) -> Response | tuple[str, int]:
        draft = _draft(bridge, key)
        form = {name: request.form.get(name, "").replace("\0", "").strip()[:200] for name in _CHOSEN}
        try:
            wanted = Routing(**form, register=request.form.get("register") == "yes", searches=search_rows.read(request.form))
            _unless_changed(lambda: maker.route(key, wanted, version=_version(), actor=actor()))
        except ConfigError as problem:
            return _page(bridge, draft, "routing", problems={"": str(problem)}, given=form), 400
        return redirect(url_for("connect_step", key=key, step="live"), 303)

    @app.post("/connect/<key>/live")
    @needs(Role.ADMIN)
    def go_live(key: str) -> Response | tuple[str, int]:
        draft = _draft(bridge, key)
        if not _is_tested(draft) and request.form.get("anyway") != "yes":
            problem = "The checks were not run, or one failed. Run them, or say that it shall go live all the same."
            return _page(bridge, draft, "live", problems={"": problem}), 400
        _unless_changed(lambda: maker.go_live(key, version=_version(), actor=actor()))
        bridge.refresh()
        told = ""
        if request.form.get("register") == "yes":
            told = _register(bridge, key)
        place = channel_place(ChannelKey(key))
        if told:
            return render_template("went_live.html", key=key, place=place, told=told), 200
        return redirect(url_for("channel", place=place), 303)

    @app.post("/connect/<key>/discard")
    @needs(Role.ADMIN)
    def discard(key: str) -> Response:
        _draft(bridge, key)
        _unless_changed(lambda: maker.discard(key, version=_version(), actor=actor()))
        return redirect(url_for("connect"), 303)

    @app.post("/channels/<place>/change")
    @needs(Role.ADMIN)
    def change(place: str) -> Response:
        key = place.removeprefix("channel:")
        maker.change(key, actor=actor())
        return redirect(url_for("connect_step", key=key, step="credentials"), 303)


def _choose(bridge: Bridge, *, key: str = "", platform: str = "", problem: str = "") -> str:
    found = sorted(bridge.channels.platforms.values(), key=lambda each: each.display_name.casefold())
    return render_template("connect.html", platforms=found, drafts=bridge.channels.drafts(), key=key, chosen=platform, problem=problem)


def _draft(bridge: Bridge, key: str) -> MadeChannel:
    draft = bridge.channels.draft(key)
    if draft is None or draft.platform not in bridge.channels.platforms:
        raise NotFound(f"{key} is not being set up: it went live, or was discarded. The page Channels shows what is at work.")
    return draft


def _version() -> int:
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else -1


def _unless_changed(act: Callable[[], Result]) -> Result:
    try:
        return act()
    except Changed as problem:
        raise Conflict(str(problem)) from None


def _is_tested(draft: MadeChannel) -> bool:
    return bool(draft.tested) and all(item["is_ok"] for item in draft.tested or ())


def _next_step(bridge: Bridge, draft: MadeChannel) -> str:
    if bridge.channels.missing(draft):
        return "credentials"
    if draft.tested is None:
        return "test"
    return "routing" if draft.routing is None else "live"


def _page(
    bridge: Bridge,
    draft: MadeChannel,
    step: str,
    *,
    problems: Mapping[str, str] | None = None,
    given: Mapping[str, str] | None = None,
    address: str = "",
) -> str:
    static = bridge.channels.platforms[draft.platform]
    missing = bridge.channels.missing(draft)
    channel = None if missing else bridge.channels.trial(draft.key)
    adapter: object = None if channel is None else channel.adapter
    public = bridge.config.public_url.rstrip("/")
    return render_template(
        f"connect_{step}.html",
        draft=draft,
        platform=static,
        steps=STEPS,
        step=step,
        problems=problems or {},
        given=_values(static, draft, given),
        kept={name for name, value in (draft.settings or {}).items() if value not in ("", None)},
        questions=questions(static.settings_schema),
        is_complete=not missing,
        is_change=draft.key in bridge.channels.configs,
        is_tested=_is_tested(draft),
        callback=adapter.webhook_address() if isinstance(adapter, NamesItsAddress) else f"{public}/in/channel/{draft.key}",
        redirect_url=bridge.connector().redirect_url,
        verify_token=(draft.settings or {}).get("verify_token", ""),
        connects=isinstance(adapter, Connects),
        scopes=getattr(adapter, "scopes", ()),
        registers=isinstance(adapter, RegistersWebhook),
        prints=isinstance(adapter, PrintsRegistration),
        address=address,
        desks=list(bridge.config.helpdesks.values()),
        late=_LATE,
        listens=static.capabilities.listens >= Level.PARTIAL,
        is_registered=(request.form if given else draft.routing or {}).get("register") in {"yes", True},
        rows=search_rows.shown(request.form if given else None, draft.routing or {}),
        hints=hints(bridge, draft.key, static),
    )


def _values(static: Platform, draft: MadeChannel, given: Mapping[str, str] | None) -> dict[str, str]:
    """What stands in the form's fields: never a secret."""
    known = dict(draft.settings or {})
    values: dict[str, str] = {}
    for question in questions(static.settings_schema):
        if not question.is_secret:
            values[question.name] = typed(known[question.name]) if question.name in known else _absent(question)
    return {**values, **{name: str(value) for name, value in (draft.routing or {}).items() if name in _CHOSEN}, **(given or {})}


def _absent(question: Question) -> str:
    """A choice and a yes or no show what is meant; other fields stay empty and say it beside."""
    return question.default if question.kind in {Kind.CHOICE, Kind.YES_NO} else ""


def _shown(bridge: Bridge, draft: MadeChannel, given: Mapping[str, str]) -> dict[str, str]:
    """What may stand in the form again after a mistake."""
    asked = questions(bridge.channels.platforms[draft.platform].settings_schema)
    return {each.name: given.get(each.name, "") for each in asked if not each.is_secret}


def _register(bridge: Bridge, key: str) -> str:
    """Tell the platform our address; returns what went wrong."""
    try:
        operate.register(bridge.installation, bridge.database, channel_place(ChannelKey(key)), actor=actor())
    except CrossdeskError as problem:
        return str(problem)
    return ""
