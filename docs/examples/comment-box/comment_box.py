"""A comment box on a page, and a whole counterpart of Crossdesk's generic channel (docs/webhook-channel.md). Standard library alone.

    TELL_URL     where events go: the channel's address, https://desk.example/in/channel/NAME
    TELL_SECRET  what we sign events with: the channel's receive_secret
    CALL_SECRET  what Crossdesk signs its calls with: the channel's send_secret
    PORT         where to listen on loopback; PAGE_URL what visitors see of it

What is said lives in memory, to keep the example short: a real one keeps COMMENTS, DONE and EVENTS in its database.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import os
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.parse import parse_qs, urlsplit

PORT = int(os.environ.get("PORT", "8090"))
PAGE_URL = os.environ.get("PAGE_URL", f"http://127.0.0.1:{PORT}/")
COMMENTS: dict[str, dict] = {}  # by message_id, in the order in which they were said
DONE: dict[str, dict] = {}  # the answer to each webhook-id: a call that comes twice is done once
EVENTS: list[dict] = []  # everything that Crossdesk should know; what it missed it asks for
LOCK = Lock()


def signature(secret: str, wish: str, stamp: str, content: bytes) -> str:
    """Standard Webhooks: HMAC-SHA256 over id.timestamp.content."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, f"{wish}.{stamp}.".encode() + content, hashlib.sha256).digest()).decode()


def tell(kind: str, data: dict) -> None:
    """Post an event. One that does not arrive is found at events_url."""
    with LOCK:
        EVENTS.append({"type": kind, "timestamp": datetime.now(UTC).isoformat(), "data": data})
        body, wish, stamp = json.dumps(EVENTS[-1]).encode(), f"event_{len(EVENTS)}_{uuid.uuid4().hex}", str(int(time.time()))
    headers = {"Content-Type": "application/json", "Webhook-Id": wish, "Webhook-Timestamp": stamp}
    headers["Webhook-Signature"] = signature(os.environ["TELL_SECRET"], wish, stamp, body)
    try:
        urllib.request.urlopen(urllib.request.Request(os.environ["TELL_URL"], body, headers), timeout=10).close()
    except (urllib.error.URLError, OSError) as problem:
        print("not told:", problem, flush=True)


def shown(comment: dict) -> dict:
    """A message as the contract wants it answered."""
    return {"message_id": comment["id"], "url": f"{PAGE_URL}#{comment['id']}"}


def do(call: dict) -> tuple[int, dict]:
    """One call of Crossdesk's: the status and the answer."""
    kind, data = call["type"], call["data"]
    if kind == "ping":
        return 200, {}
    if kind == "message.send":
        if not any(one["conversation"] == data["conversation_id"] for one in COMMENTS.values()):
            return 410, {"title": "Gone", "detail": "This conversation is not on the page any more."}
        comment = {"id": f"m{len(COMMENTS) + 1}", "conversation": data["conversation_id"], "name": "The shop", "text": data["text"]}
        COMMENTS[comment["id"]] = comment | {"client_id": data["client_id"], "files": data.get("files", []), "gone": False}
        return 200, shown(comment)
    comment = COMMENTS.get(data.get("message_id"), {"gone": True})
    if kind in ("message.edit", "message.delete") and comment["gone"]:
        return 410, {"title": "Gone", "detail": "This comment was deleted."}
    if kind == "message.edit":
        comment["text"] = data["text"]
        return 200, shown(comment)
    if kind == "message.delete":
        comment["gone"] = True
        return 200, {}
    return 422, {"title": "Unknown type", "detail": f"This page knows no {kind}."}


class Page(BaseHTTPRequestHandler):
    """`/` is the page, `/crossdesk` the channel's url, `/crossdesk/messages` its readback_url and `/crossdesk/events` its events_url."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """The page, and what Crossdesk may ask."""
        place = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        if place.path == "/":
            lines = [
                f"<p id={one['id']}><b>{html.escape(one['name'])}</b>: {html.escape(one['text'])}"
                for one in COMMENTS.values()
                if not one["gone"]
            ]
            form = "<form method=post action=/comments><input name=name> <input name=text size=60> <button>Say it</button></form>"
            self.answer(200, "\n".join(["<!doctype html><title>Comments</title>", *lines, form]).encode(), "text/html; charset=utf-8")
        elif not self.is_signed(place.query.encode()):
            self.problem(401, "The signature is wrong.")
        elif place.path == "/crossdesk/messages":
            self.json(200, {"messages": [shown(one) for one in COMMENTS.values() if one.get("client_id") == asked.get("client_id")]})
        elif place.path == "/crossdesk/events":
            start = int(asked.get("cursor") or max(0, len(EVENTS) - 100))
            page = EVENTS[start : start + int(asked.get("limit", "100"))]
            self.json(200, {"events": page, "cursor": str(start + len(page)), "has_more": start + len(page) < len(EVENTS)})
        else:
            self.problem(404, "There is no such page.")

    def do_POST(self) -> None:
        """What visitors say, and Crossdesk's calls."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/comments":
            said = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            with LOCK:
                ref = f"m{len(COMMENTS) + 1}"
                answered = COMMENTS.get(said.get("reply_to", ""))
                conversation = answered["conversation"] if answered else ref
                COMMENTS[ref] = {"id": ref, "conversation": conversation, "name": said["name"], "text": said["text"], "gone": False}
            # A real page knows its visitors by an account or a cookie, not by the name that they type.
            author = {"id": "v-" + hashlib.sha256(said["name"].encode()).hexdigest()[:12], "name": said["name"]}
            about = {"conversation_id": conversation, **shown(COMMENTS[ref]), "author": author, "text": said["text"]}
            tell("message.created", about | ({"reply_to": answered["id"]} if answered else {}))
            self.answer(303, b"", "text/plain", Location="/")
        elif self.path != "/crossdesk" or not self.is_signed(body):
            self.problem(401, "The signature is wrong.")
        else:
            wish = self.headers["Webhook-Id"]
            with LOCK:
                if wish not in DONE:
                    status, answer = do(json.loads(body))
                    if status != 200:
                        self.problem(status, answer["detail"])
                        return
                    DONE[wish] = answer
            self.json(200, DONE[wish])

    def is_signed(self, content: bytes) -> bool:
        """Whether one of the signatures is Crossdesk's, and of the last five minutes."""
        wish, stamp, given = (self.headers.get(f"Webhook-{name}", "") for name in ("Id", "Timestamp", "Signature"))
        expected = signature(os.environ["CALL_SECRET"], wish, stamp, content).encode()
        is_timely = stamp.isdigit() and abs(time.time() - int(stamp)) <= 300
        return is_timely and any(hmac.compare_digest(expected, one.encode()) for one in given.split(" "))

    def json(self, status: int, data: dict) -> None:
        """Answer with an object."""
        self.answer(status, json.dumps(data).encode(), "application/json")

    def problem(self, status: int, detail: str) -> None:
        """Answer with a sentence that the agent will read (RFC 9457)."""
        self.answer(status, json.dumps({"status": status, "detail": detail}).encode(), "application/problem+json")

    def answer(self, status: int, body: bytes, content_type: str, **headers: str) -> None:
        """Answer."""
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", PORT), Page).serve_forever()
