"""The desk against a real Zammad 6.2.0: what was recorded there is asked again here, and status, keys and values are compared.

Ids differ (the recordings hold calls that the desk does not speak), so they are mapped as they appear. Times count as given or not given.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from ui_extensions.rehearsal.desk.app import EXTENSION, DeskSettings, Staff, create_desk

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.json"))
TOKENS = {"<admin-token>": "t-admin", "<agent-token>": "t-agent", "<cust-token>": "t-cust", "<bridge-token>": "t-bridge"}
LOOSE = frozenset(
    (
        *("number", "article_count", "article_ids", "ticket_article_ids", "store_file_id", "size", "last_owner_update_at", "history"),
        *("first_response_escalation_at", "first_response_in_min", "first_response_diff_in_min", "escalation_at"),
        *("update_escalation_at", "update_in_min", "update_diff_in_min", "matching"),
    )
)
KIND_OF_KEY = {
    "ticket_id": "ticket",
    "customer_id": "user",
    "owner_id": "user",
    "created_by_id": "user",
    "updated_by_id": "user",
    "origin_by_id": "user",
    "link_object_value": "ticket",
    "link_object_target_value": "ticket",
    "link_object_source_value": "ticket",
    "o_id": "ticket",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


class Replay:
    """One desk that is asked what a real server was asked."""

    def __init__(self) -> None:
        people = (
            Staff(login="admin@example.com", token="t-admin", firstname="Ada", lastname="Admin", role="admin", groups=("Users", "Social")),
            Staff(login="agent@example.com", token="t-agent", firstname="Gus", lastname="Agent"),
            Staff(login="cust@example.com", token="t-cust", firstname="Cleo", lastname="Customer", role="customer"),
        )
        bridge = Staff(login="bridge@example.com", token="t-bridge", firstname="Social", lastname="Bridge")
        app = create_desk(DeskSettings(bridge=bridge, staff=people, groups=("Users", "Social", "Bridge Group")))
        self.parts = app.extensions[EXTENSION]
        self.client: FlaskClient = app.test_client()
        logins = {3: "admin@example.com", 4: "agent@example.com", 5: "cust@example.com", 6: "bridge@example.com"}
        self.ids = {("user", key): self.parts.desk.user_called(login).id for key, login in logins.items()} | {("user", 1): 1}
        self.numbers: dict[str, str] = {}

    def ask(self, exchange: dict[str, Any]) -> Any:
        """The desk's answer to a recorded request; None if it names something that only the other server has."""
        asked = exchange["request"]
        path = self._path(asked["path"])
        if path is None:
            return None
        headers = {"Accept": asked["accept"]} if asked["accept"] else {}
        kind, _, token = asked["authorization"].partition(" ")
        if kind:
            bare = token.removeprefix("token=")
            headers["Authorization"] = f"{kind} {token.replace(bare, TOKENS.get(bare, bare))}"
        body = asked["body"]
        data = None if body is None else body if isinstance(body, str) else json.dumps(self._mapped(body))
        return self.client.open(f"/api/v1{path}", method=asked["method"], headers=headers, data=data, content_type=asked["type"] or None)

    def learn(self, recorded: Any, got: Any, path: str) -> None:
        """Remember which of our ids stand for which of theirs."""
        names = {"users": "user", "ticket_articles": "article", "core_workflows": "workflow", "roles": "role", "tickets": "ticket"}
        kind = names.get(path.split("/")[1].split("?")[0], "other")
        if isinstance(recorded, dict) and isinstance(got, dict) and "id" in recorded and "id" in got:
            self.ids[kind, recorded["id"]] = got["id"]
            if kind == "ticket" and "customer_id" in recorded:
                self.ids["user", recorded["customer_id"]] = got["customer_id"]
                self.numbers[recorded["number"]] = got["number"]
                for theirs, ours in zip(recorded.get("article_ids", ()), got.get("article_ids", ()), strict=False):
                    self.ids.setdefault(("article", theirs), ours)
            for theirs, ours in zip(recorded.get("attachments", ()), got.get("attachments", ()), strict=True):
                self.ids["file", theirs["id"]] = ours["id"]

    def differences(self, recorded: Any, got: Any, at: str = "") -> list[str]:
        """Where the two answers differ, each with its place."""
        name = at.rsplit(".", 1)[-1]
        if name in LOOSE:
            return []
        if isinstance(recorded, dict) and isinstance(got, dict):
            found = [f"{at}: {sorted(recorded.keys() ^ got.keys())} on one side only"] if recorded.keys() != got.keys() else []
            return found + [
                line for key in recorded.keys() & got.keys() for line in self.differences(recorded[key], got[key], f"{at}.{key}")
            ]
        if isinstance(recorded, list) and isinstance(got, list):
            if len(recorded) != len(got):
                return [f"{at}: {len(recorded)} entries there, {len(got)} here"]
            return [line for theirs, ours in zip(recorded, got, strict=True) for line in self.differences(theirs, ours, f"{at}[]")]
        if name in KIND_OF_KEY and recorded is not None:
            known = self.ids.get((KIND_OF_KEY[name], recorded))
            return [] if known in (None, got) else [f"{at}: {recorded!r} is {known!r} here, not {got!r}"]
        if name == "id" or self._is_alike(recorded, got):
            return []
        return [f"{at}: {recorded!r} there, {got!r} here"]

    @staticmethod
    def _is_alike(recorded: Any, got: Any) -> bool:
        if isinstance(recorded, str) and isinstance(got, str):
            for noise in (r"Error ID [\w-]+", r"auto-[0-9a-f-]+", r"\d+"):
                recorded, got = re.sub(noise, "*", recorded), re.sub(noise, "*", got)
            return bool(recorded == got or (TIME.fullmatch(str(recorded)) and TIME.fullmatch(str(got))))
        return bool(recorded == got)

    def _path(self, path: str) -> str | None:
        kinds = {
            "tickets": "ticket",
            "by_ticket": "ticket",
            "ticket_articles": "article",
            "users": "user",
            "ticket_history": "ticket",
            "core_workflows": "workflow",
        }
        parts = re.split(r"([/?&=])", path)
        for at, part in enumerate(parts):
            before = parts[at - 2] if at >= 2 else ""
            if part.isdigit() and before in kinds and int(part) < 900000:
                if (kinds[before], int(part)) not in self.ids:
                    return None
                parts[at] = str(self.ids[kinds[before], int(part)])
            elif part.isdigit() and before in ("link_object_value", "o_id"):
                parts[at] = str(self.ids.get(("ticket", int(part)), part))
        if "ticket_attachment" in parts:
            at = parts.index("ticket_attachment")
            for place, kind in ((2, "ticket"), (4, "article"), (6, "file")):
                parts[at + place] = str(self.ids.get((kind, int(parts[at + place])), parts[at + place]))
        if "ticket_merge" in parts:
            at = parts.index("ticket_merge")
            parts[at + 2] = str(self.ids["ticket", int(parts[at + 2])])
            parts[at + 4] = self.numbers.get(parts[at + 4], parts[at + 4])
        return "".join(parts)

    def _mapped(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._mapped(item, name) for name, item in value.items()}
        if key in KIND_OF_KEY and isinstance(value, int):
            return self.ids.get((KIND_OF_KEY[key], value), value)
        if key == "link_object_source_number":
            return self.numbers.get(value, value)
        return value


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_recorded_requests_get_the_recorded_answers(recording: Path) -> None:
    replay, asked, wrong = Replay(), 0, []
    for exchange in json.loads(recording.read_text()):
        answer = replay.ask(exchange)
        if answer is None:
            continue
        asked += 1
        recorded, got = exchange["response"]["body"], answer.get_json(silent=True)
        if answer.status_code != exchange["response"]["status"]:
            wrong.append(f"{exchange['label']}: {exchange['response']['status']} there, {answer.status_code} here: {got}")
            continue
        replay.learn(recorded, got, exchange["request"]["path"])
        if isinstance(recorded, (dict, list)):
            if isinstance(got, dict):
                got = {k: v for k, v in got.items() if k not in ("assets", "form_meta")}
            wrong += [f"{exchange['label']}{line}" for line in replay.differences(recorded, got)]
    assert replay.parts.refusals == []
    assert wrong == []
    assert asked >= 10
