"""The Web API's methods that the bot uses, with the arguments, scopes and refusals of Slack's reference."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from plugin.testing.standins.serving import Json
from plugin.testing.standins.slack.world import APP, BOT, BOT_USER, TEAM, Refused, Stored, Workspace

_LONGEST = 40_000
_MOST_BUTTONS, _LONGEST_WORDS, _LONGEST_VALUE = 25, 75, 2_000
_READ = {"channel": "channels:history", "group": "groups:history", "im": "im:history", "mpim": "mpim:history"}
_LIST = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
_RUNS = {"text": {"text"}, "link": {"url", "text"}, "user": {"user_id"}}
_CONTAINERS = ("rich_text_section", "rich_text_quote", "rich_text_preformatted")


@dataclass(frozen=True, slots=True)
class Method:
    """One method: its arguments (`!` marks needed ones), whether it takes JSON, its scope, and what it does."""

    arguments: str
    takes_json: bool
    scope: str
    do: Callable[[Json], Json]


class Methods:
    """Every method by its name."""

    def __init__(self, world: Workspace, *, has: Callable[[str], bool], host: Callable[[], str]) -> None:
        self._world = world
        self._has = has
        self._host = host
        post = "channel! text blocks thread_ts metadata unfurl_links unfurl_media mrkdwn"
        page = "limit cursor oldest latest inclusive include_all_metadata"
        self.by_name = {
            "auth.test": Method("", True, "", self._who),
            "bots.info": Method("bot!", False, "users:read", self._bot),
            "users.info": Method("user! include_locale", False, "users:read", self._user),
            "users.conversations": Method("types exclude_archived limit cursor", False, "", self._rooms),
            "conversations.history": Method(f"channel! {page}", True, "", self._history),
            "conversations.replies": Method(f"channel! ts! {page}", True, "", self._replies),
            "chat.postMessage": Method(post, True, "chat:write", self._post),
            "chat.update": Method("channel! ts! text blocks", True, "chat:write", self._update),
            "chat.delete": Method("channel! ts!", True, "chat:write", self._delete),
            "files.getUploadURLExternal": Method("filename! length! alt_txt", False, "files:write", self._begin),
            "files.completeUploadExternal": Method("files! channel_id thread_ts initial_comment", True, "files:write", self._complete),
            "files.info": Method("file!", False, "files:read", self._file),
        }

    def _who(self, _: Json) -> Json:
        return {
            "url": "https://example.slack.com/",
            "team": "Example",
            "user": "helpdesk",
            "team_id": TEAM,
            "user_id": BOT_USER,
            "bot_id": BOT,
        }

    def _bot(self, given: Json) -> Json:
        if given["bot"] != BOT:
            raise Refused("bot_not_found")
        return {"bot": {"id": BOT, "app_id": APP, "name": "Helpdesk", "deleted": False, "user_id": BOT_USER}}

    def _user(self, given: Json) -> Json:
        found = self._world.people.get(given["user"])
        if found is None:
            raise Refused("user_not_found")
        return {"user": {name: value for name, value in found.items() if name != "locale" or given.get("include_locale") == "true"}}

    def _rooms(self, given: Json) -> Json:
        kinds = [_LIST[one] for one in str(given.get("types", "public_channel")).split(",")]
        for kind in kinds:
            self._require(_READ[kind].replace("history", "read"))
        found = [
            {
                "id": name,
                "is_channel": room.kind == "channel",
                "is_private": room.kind != "channel",
                "is_im": room.kind == "im",
                "is_mpim": room.kind == "mpim",
            }
            for name, room in self._world.rooms.items()
            if room.is_member and room.kind in kinds and not (room.is_archived and given.get("exclude_archived") == "true")
        ]
        return self._page(found, given, "channels")

    def _history(self, given: Json) -> Json:
        room = self._world.room(given["channel"])
        self._require(_READ[room.kind])
        top = [
            one
            for one in room.messages.values()
            if one.get("thread_ts", one["ts"]) == one["ts"] or one.get("subtype") == "thread_broadcast"
        ]
        return self._page(self._since(sorted(top, key=lambda one: one["ts"], reverse=True), given), given, "messages")

    def _replies(self, given: Json) -> Json:
        room = self._world.room(given["channel"])
        self._require(_READ[room.kind])
        if given["ts"] not in room.messages:
            raise Refused("thread_not_found")
        root = room.messages[given["ts"]]
        rest = [one for one in room.messages.values() if one.get("thread_ts") == given["ts"] and one is not root]
        return self._page([root, *self._since(sorted(rest, key=lambda one: one["ts"]), given)], given, "messages")

    def _since(self, messages: list[Json], given: Json) -> list[Json]:
        oldest, told = given.get("oldest", "0"), given.get("include_all_metadata") in ("true", True)
        found = [copy.deepcopy(one) for one in messages if one["ts"] > oldest]
        return [{name: value for name, value in one.items() if told or name != "metadata"} for one in found]

    def _page(self, found: list[Json], given: Json, member: str) -> Json:
        size, at = int(given.get("limit", 100)), int(given.get("cursor") or 0)
        following = str(at + size) if at + size < len(found) else ""
        return {member: found[at : at + size], "has_more": bool(following), "response_metadata": {"next_cursor": following}}

    def _post(self, given: Json) -> Json:
        self._world.room(given["channel"])
        text, blocks = given.get("text", ""), given.get("blocks", [])
        if not text and not blocks:
            raise Refused("no_text")
        _check_words(text, blocks)
        metadata = given.get("metadata", {})
        if metadata and (set(metadata) != {"event_type", "event_payload"} or not isinstance(metadata["event_payload"], dict)):
            raise Refused("invalid_metadata_format")
        links = [str(run.get("url")) for run in _runs(blocks) if run["type"] == "link"]
        shared = [one for one in self._world.files.values() if one.is_complete and one.about["permalink"] in links]
        for one in shared:
            one.is_shared = True
        message = {
            **_own(self._world.stamp(), text, blocks),
            **({"thread_ts": given["thread_ts"]} if "thread_ts" in given else {}),
            **({"metadata": metadata} if metadata else {}),
            **({"files": [one.about for one in shared]} if shared else {}),
        }
        self._world.add(given["channel"], message)
        return {"channel": given["channel"], "ts": message["ts"], "message": message}

    def _update(self, given: Json) -> Json:
        message = self._world.message(given["channel"], given["ts"])
        if message.get("app_id") != APP:
            raise Refused("cant_update_message")
        _check_words(given.get("text", ""), given.get("blocks", []))
        edited = {"user": BOT_USER, "ts": self._world.stamp()}
        self._world.change(given["channel"], given["ts"], {"text": given["text"], "blocks": given.get("blocks", []), "edited": edited})
        return {"channel": given["channel"], "ts": given["ts"], "text": given["text"]}

    def _delete(self, given: Json) -> Json:
        if self._world.message(given["channel"], given["ts"]).get("app_id") != APP:
            raise Refused("cant_delete_message")
        self._world.remove(given["channel"], given["ts"])
        return {"channel": given["channel"], "ts": given["ts"]}

    def _begin(self, given: Json) -> Json:
        if not str(given["length"]).isdecimal() or int(given["length"]) < 1:
            raise Refused("invalid_arguments")
        file_id = self._world.file_id()
        about = {
            "id": file_id,
            "name": given["filename"],
            "mimetype": "application/octet-stream",
            "mode": "hosted",
            "size": int(given["length"]),
            "permalink": f"https://example.slack.com/files/{BOT_USER}/{file_id}/{given['filename']}",
            "url_private_download": f"{self._host()}/files/{file_id}",
            **({"alt_txt": given["alt_txt"]} if "alt_txt" in given else {}),
        }
        self._world.files[file_id] = Stored(about=about, length=int(given["length"]))
        return {"upload_url": f"{self._host()}/upload/{file_id}", "file_id": file_id}

    def _complete(self, given: Json) -> Json:
        made = []
        for one in given["files"]:
            stored = self._world.files.get(one["id"])
            if stored is None or stored.is_complete or len(stored.content) != stored.length:
                raise Refused("file_not_found")
            stored.is_complete = True
            stored.about["title"] = one.get("title", "")
            made.append({"id": one["id"], "title": one.get("title", "")})
        return {"files": made}

    def _file(self, given: Json) -> Json:
        stored = self._world.files.get(given["file"])
        if stored is None or not stored.is_complete:
            raise Refused("file_not_found")
        return {"file": stored.about}

    def _require(self, scope: str) -> None:
        if not self._has(scope):
            raise Refused("missing_scope", needed=scope, provided="")


def _own(ts: str, text: str, blocks: list[Json]) -> Json:
    profile = {"id": BOT, "app_id": APP, "name": "Helpdesk", "team_id": TEAM}
    said = {"type": "message", "user": BOT_USER, "bot_id": BOT, "app_id": APP, "bot_profile": profile, "text": text, "ts": ts}
    return {**said, **({"blocks": blocks} if blocks else {})}


def _check_words(text: Any, blocks: Any) -> None:
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise Refused("msg_too_long")
    if not isinstance(blocks, list) or any(not (_is_rich_text(block) or _are_buttons(block)) for block in blocks):
        raise Refused("invalid_blocks")


def _is_rich_text(block: Mapping[str, Any]) -> bool:
    """As closed as Slack's schema: known elements with known fields, no empty words, real addresses."""
    if set(block) - {"type", "elements", "block_id"} or block.get("type") != "rich_text" or not block.get("elements"):
        return False
    for element in block["elements"]:
        if set(element) != {"type", "elements"} or element["type"] not in _CONTAINERS or not element["elements"]:
            return False
        for run in element["elements"]:
            fields = _RUNS.get(run.get("type"), set())
            if not fields or set(run) - {"type", "style"} != fields or not all(run[name] for name in fields):
                return False
            if set(run.get("style", {})) - {"bold", "italic", "strike", "code"}:
                return False
    return True


def _are_buttons(block: Mapping[str, Any]) -> bool:
    """Up to 25 buttons, each with an id of its own, plain words of at most 75 letters and a value of at most 2,000."""
    elements = block.get("elements")
    if set(block) != {"type", "block_id", "elements"} or block["type"] != "actions" or not isinstance(elements, list):
        return False
    ids = {one.get("action_id") for one in elements}
    return 0 < len(elements) <= _MOST_BUTTONS and len(ids) == len(elements) and all(_is_button(one) for one in elements)


def _is_button(one: Mapping[str, Any]) -> bool:
    words = one.get("text", {})
    return (
        set(one) == {"type", "action_id", "text", "value"}
        and one["type"] == "button"
        and (set(words), words.get("type")) == ({"type", "text"}, "plain_text")
        and 0 < len(words["text"]) <= _LONGEST_WORDS
        and 0 < len(one["value"]) <= _LONGEST_VALUE
    )


def _runs(blocks: list[Json]) -> list[Json]:
    return [run for block in blocks if block["type"] == "rich_text" for element in block["elements"] for run in element["elements"]]
