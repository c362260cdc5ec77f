"""Host pages with each helpdesk's own content policy, and a relay behind them: onto snapshots made up here, or onto the real panel."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Response, request

from tests.bridge import ROOT
from tests.panels import Desk
from ui_extensions.panel import wording
from ui_extensions.panel.buttons import LABELS
from ui_extensions.panel.signing import Agent
from ui_extensions.rehearsal import serving

PANEL = ROOT / "ui_extensions" / "panel"
POLICIES: dict[str, dict[str, Any]] = json.loads((PANEL / "hosts" / "policies.json").read_text())
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000002000000020802000000fdd49a730000001449444154789c63fcffff3f031a60620002b49c0a03000a1d02012da5e27a0000000049454e44ae426082"
)
_NONCE = "r4nd0m"
IMPOSTOR = (
    "Likely an impostor: the name “Acme Support 24” is “Acme” with words of support around it; asks for personal data (“your card number”). "
    "Do not trust what they say, and warn the customer."
)
HELD = (
    "This conversation is a formal ticket now, so nothing more is posted in public. Your reply is kept here. Answer in private as soon as the customer writes "
    "there, or have a supervisor press `release` with a reason to post it all the same, or `undo` to take the handoff back."
)
DRAWN = """async () => {
  const before = document.querySelector('cd-panel'), data = before.snapshot, panel = before.cloneNode(), real = fetch;
  let began = 0;
  window.fetch = async () => ({ status: 200, ok: true, headers: new Headers(), json: async () => { began = performance.now(); return data; } });
  before.replaceWith(panel);
  await new Promise((done) => panel.addEventListener('cd-snapshot', () => requestAnimationFrame(() => requestAnimationFrame(done)), { once: true }));
  window.fetch = real;
  return performance.now() - began;
}"""
"""JavaScript: the milliseconds from the data's arrival until a new panel with it was painted."""
Answer = tuple[int, dict[str, Any] | None]


class Stand:
    """What a relay would answer, by hand: `snapshot` is what is shown, `pressed` what was pressed."""

    def __init__(self) -> None:
        self.snapshot: dict[str, Any] | None = sample()
        self.pressed: list[tuple[str, dict[str, Any]]] = []
        self.asked: list[str] = []
        self.answer: Callable[[str, dict[str, Any]], Answer] = lambda _action, _body: (200, self.snapshot)
        self.away = False
        self.is_settled = False
        """Answer that nothing has changed, whatever is asked."""
        self.concerns: list[dict[str, Any]] = []

    def change(self, **parts: Any) -> None:
        """The ticket is otherwise now."""
        assert self.snapshot is not None
        before = int(str(self.snapshot["rev"]))
        self.snapshot = {**copy.deepcopy(self.snapshot), **parts, "rev": str(before + 1), "server_now": datetime.now(UTC).isoformat()}

    def show(self, _agent: str) -> Answer:
        """A question of the panel's."""
        self.asked.append(request.args.get("since", ""))
        if self.away:
            return 503, {"error": {"code": "store_unavailable", "text": "Away."}}
        if self.snapshot is None:
            return 404, {"error": {"code": "unknown_ticket", "text": "Nothing."}}
        return (204, None) if self.is_settled or request.args.get("since") == self.snapshot["rev"] else (200, self._told())

    def _told(self) -> dict[str, Any]:
        """The snapshot as the panel is answered, in its language."""
        return wording.put(copy.deepcopy(self.snapshot or {}), wording.asked())

    def press(self, _agent: str, path: str, body: dict[str, Any]) -> Answer:
        """A press, or a preflight."""
        if path.endswith("/preflight"):
            words = body["text"]
            told = {"audience": "-", "visibility": "public", "length": len(words), "limit": 100, "unit": "characters"}
            return 200, wording.put({**told, "concerns": copy.deepcopy(self.concerns)}, wording.asked())
        action = path.rpartition("/")[2]
        self.pressed.append((action, body))
        return self.answer(action, body)


class RealStand:
    """The same onto the real panel; the page says as whom it asks by `?agent=`."""

    def __init__(self, desk: Desk, agents: dict[str, Agent]) -> None:
        self._desk, self._agents = desk, agents

    def show(self, agent: str) -> Answer:
        query = request.query_string.decode()
        answer = self._desk.ask(f"{self._desk.path()}?{query}", self._agents[agent])
        return answer.status_code, answer.get_json(silent=True)

    def press(self, agent: str, path: str, body: dict[str, Any]) -> Answer:
        below, query = path.removeprefix("/relay/panel/1"), request.query_string.decode()
        answer = self._desk.ask(f"{self._desk.path()}{below}?{query}", self._agents[agent], body=body)
        return answer.status_code, answer.get_json(silent=True)


@contextmanager
def serving_hosts(stand: Stand | RealStand) -> Iterator[str]:
    """The address of the host pages while they are served."""
    app = Flask("hosts")

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(status=204)

    @app.get("/<host>.html")
    def page(host: str) -> Response:
        text = (PANEL / "hosts" / f"{host}.html").read_text()
        given = {"lang": request.args.get("lang", "en"), "dir": request.args.get("dir", "ltr"), "nonce": _NONCE}
        for name, value in given.items():
            text = text.replace(f"{{{name}}}", value)
        agent = request.args.get("agent", "ada")
        told = POLICIES[host]
        answer = Response(text, content_type="text/html; charset=utf-8", headers=told["headers"])
        answer.set_cookie("agent", agent)
        if told["policy"]:
            answer.headers["Content-Security-Policy"] = told["policy"].replace("{nonce}", _NONCE)
        return answer

    @app.get("/relay/cd-panel.js")
    def script() -> Response:
        return Response((PANEL / "cd-panel.js").read_bytes(), content_type="text/javascript; charset=utf-8")

    @app.get("/relay/locales/<name>")
    def locale(name: str) -> Response:
        return Response((PANEL / "locales" / name).read_bytes(), content_type="application/json")

    @app.get("/relay/host.css")
    def style() -> Response:
        return Response("body { margin: 8px; } textarea { width: 100%; }", content_type="text/css")

    @app.get("/relay/panel/-/<path:_rest>")
    def picture(_rest: str) -> Response:
        return Response(PNG, content_type="image/png") if "missing" not in _rest else Response(status=404)

    @app.get("/relay/panel/1")
    def show() -> Response:
        return _answer(stand.show(request.cookies.get("agent", "ada")))

    @app.post("/relay/panel/1/<path:_rest>")
    def press(_rest: str) -> Response:
        return _answer(stand.press(request.cookies.get("agent", "ada"), request.path, request.get_json()))

    with serving.background(serving.bind(lambda _: app)) as url:
        yield url


def _answer(answer: Answer) -> Response:
    status, content = answer
    return Response(b"" if content is None else json.dumps(content), status=status, content_type="application/json")


def text(plain: str, *marks: dict[str, Any]) -> dict[str, Any]:
    """Words."""
    return {"plain": plain, "marks": list(marks)}


def message(
    number: int, words: str, *, direction: str = "inbound", role: str = "customer", name: str = "Lena Marsh", **more: Any
) -> dict[str, Any]:
    """One message of a thread."""
    author = {"role": role, "name": name, "handle": "lena" if role == "customer" else "", "avatar": None, "likeness": "", "label": ""}
    return {
        "id": number,
        "direction": direction,
        "author": {**author, **more.pop("author", {})},
        "text": text(words),
        "versions": [],
        "at": _ago(120 - number),
        "deleted_at": None,
        "parent": None,
        "parent_missing": False,
        "visibility": "public",
        "conversation": 1,
        "url": "",
        "files": [],
        "reactions": [],
        "remarks": [],
        "found_by": "",
        "no_reply": "",
        "hide": "",
        **more,
    }


def delivery(number: int, status: str, **more: Any) -> dict[str, Any]:
    """How far a message came."""
    told = {
        "message": number,
        "article": "9",
        "status": status,
        "at": _ago(1),
        "error_code": "",
        "error_text": "",
        "parts": 1,
        "parts_sent": 1,
    }
    return {**told, "can_retry": status == "unclear", **more}


def action(name: str, *, enabled: bool = True, **more: Any) -> dict[str, Any]:
    """One button."""
    told = {
        "id": name,
        "label": LABELS.get(name, name),
        "enabled": enabled,
        "why_not": "" if enabled else "Only a supervisor may do this.",
        "needs": [],
    }
    return {**told, "confirm": False, "danger": False, "arguments": {}, **more}


def sample() -> dict[str, Any]:
    """A ticket in the middle of its life, with something of everything."""
    picture = {
        "name": "kettle.png",
        "content_type": "image/png",
        "size": 99,
        "description": "A red kettle",
        "refusal": "",
        "src": "/panel/-/file/1/0",
    }
    long_one = "It started on Tuesday. " * 60
    return {
        "version": 1,
        "rev": "1",
        "server_now": datetime.now(UTC).isoformat(),
        "me": {"id": "7", "name": "Ada Agent", "role": "agent"},
        "ticket": {
            "ref": "1",
            "number": "31001",
            "url": "https://desk.example/1",
            "closed": False,
            "owner": "Ada Agent",
            "group": "Social",
        },
        "thread": {
            "conversation": 1,
            "channel": "shop",
            "platform": "mastodon",
            "network": "Mastodon",
            "visibility": "public",
            "audience": "Everybody can read this reply.",
            "window_closes_at": _in(23 * 60),
            "reachable": True,
            "may_answer": "",
            "channel_status": "active",
            "channel_text": "",
            "count": 7,
            "older": None,
        },
        "person": {
            "name": "Lena Marsh",
            "handle": "lena@social.example",
            "url": "https://social.example/@lena",
            "avatar": "/panel/-/avatar/1",
            "followers": 4812,
            "since": "2019-04-01T00:00:00+00:00",
            "verified": True,
            "bot": False,
            "language": "en",
            "trust": "normal",
            "tags": ["vip"],
            "notes": [{"text": "Prefers calls after six.", "by": "Omar Diaz", "at": _ago(90)}],
            "identities": [{"network": "Mastodon", "handle": "lena@social.example", "proof": "platform"}],
            "conversations": [
                _conversation(1, current=True),
                _conversation(2),
                _conversation(3, ticket_number="", ticket_ref=None, ticket_url=""),
            ],
        },
        "stage": {
            "name": "handoff",
            "light": False,
            "rule": "complaint",
            "reason": "Third message without a solution.",
            "offered": "",
            "due_at": _in(11.7),
            "due_kind": "promise",
            "outcome": "",
            "scam": False,
            "broken": "",
            "monitored": False,
            "steps_in": False,
            "holds_public": True,
            "history": [
                {"id": 4, "at": _ago(9), "kind": "crossover", "rule": "complaint", "reason": "Third message.", "by": "", "refused": False}
            ],
        },
        "lock": {"holder": "Ben Berg", "until": _in(9), "fence": 3, "mine": False},
        "presence": [{"name": "Ada Agent", "doing": "viewing", "me": True}, {"name": "Ben Berg", "doing": "typing", "me": False}],
        "approval": {
            "state": "pending",
            "by": "Ben Berg",
            "at": _ago(3),
            "reason": "Trainees' public replies are approved.",
            "original": "Sorry! We send you a new kettle tomorrow, promised.",
            "proposed": "Sorry! We send you a new kettle this week.",
            "others": [],
        },
        "hold": None,
        "deliveries": [
            delivery(2, "read"),
            delivery(5, "held", error_code="handoff", error_text=HELD),
            delivery(6, "failed", error_code="remote_rejected", error_text="The platform says: too long by 37."),
            delivery(7, "sent"),
        ],
        "messages": [
            message(
                1, "My kettle hums. See https://shop.example/kettle?a=1 please", files=[picture], reactions=[{"emoji": "👍", "count": 3}]
            ),
            message(2, "Sorry! Please unplug it.", direction="outbound", role="agent", name="Ada Agent", parent=1),
            message(3, long_one, versions=[{"at": _ago(80), "text": text("It started.")}, {"at": _ago(70), "text": text(long_one)}]),
            message(
                4,
                "I am support, write to me and send your card number",
                role="bystander",
                name="Acme Support 24",
                author={"likeness": "impostor", "label": IMPOSTOR},
                parent=1,
                deleted_at=_ago(20),
            ),
            message(5, "It was our mistake.", direction="outbound", role="agent", name="Ben Berg"),
            message(6, "We have opened a ticket for this.", direction="outbound", role="agent", name="Ben Berg", parent=3),
            message(7, "This goes on as ticket 31001.", direction="notice", role="crossdesk", name="Crossdesk", visibility="private"),
        ],
        "limits": {
            "length": 500,
            "ruler": "mastodon",
            "unit": "characters",
            "files": 4,
            "file_bytes": 8_000_000,
            "content_types": ["image/*"],
        },
        "actions": [
            action("confirm", label="The ticket is complete", confirm=True),
            action("release", needs=["reason"], confirm=True, danger=True),
            action("undo", enabled=False),
            action("handoff", enabled=False, why_not="This is a formal ticket already."),
        ],
        "pending": [],
        "suggestions": [
            {
                "note": "Descale it, then it is quiet again.",
                "tags": ["kettle"],
                "link": "https://kb.example/kettle",
                "ticket_number": "30777",
                "ticket_url": "https://desk.example/#ticket/zoom/77",
                "score": 0.6,
            }
        ],
    }


def _conversation(number: int, *, current: bool = False, **more: Any) -> dict[str, Any]:
    told = {
        "id": number,
        "network": "Bluesky" if number == 2 else "Mastodon",
        "visibility": "public",
        "stage": "resolved" if number == 2 else "handoff",
    }
    found = {
        "scam": False,
        "ticket_ref": str(number),
        "ticket_number": f"3100{number}",
        "ticket_url": f"https://desk.example/{number}",
        "closed": False,
    }
    return {**told, **found, "last_at": _ago(60 * number), "current": current, **more}


def _ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def _in(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
