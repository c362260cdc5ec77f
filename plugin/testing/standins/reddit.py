"""A strict stand-in of the part of Reddit's API that an account's conversations need, for tests.

It refuses what Reddit refuses, most of it in a 200: unknown fields, other content types, nameless programs, sign-ins that ended or lack a
permission, texts that are too long, answers in locked threads or below what is deleted, and too many calls.

    with RedditStandIn() as reddit:
        post = reddit.post(CUSTOMER, "Example Rail is late again")
        ... RedditAdapter with reddit.url ...
        reddit.things
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import request

from plugin.testing.standins.closed import checked
from plugin.testing.standins.serving import Json, Refusal, StandIn
from plugin.testing.standins.signing_in import SignIns

ACCOUNT, CUSTOMER, BYSTANDER = "ExampleRail", "lena_marsh", "helpful"
CLIENT_ID, CLIENT_SECRET, PASSWORD = "Zm9yLXRlc3Rz", "bm90LWEtcmVhbC1zZWNyZXQ", "not-a-real-password"
SUBREDDIT = "examplerail"
_AGENT = re.compile(r"\w+:[\w.-]+:[\w.]+ \(by /u/[\w-]+\)\Z")
_LONGEST = 10_000
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


class RedditStandIn(StandIn):
    """One account's view of Reddit. `things` by full name, in the order in which they were said."""

    def __init__(self, *, now: Callable[[], float] = time.time, page: int = 100) -> None:
        super().__init__("reddit", now=now)
        self.signing_in = SignIns(CLIENT_ID, CLIENT_SECRET, now, by_basic=True, has_pkce=False, password=(ACCOUNT, PASSWORD))
        self.things: dict[str, Json] = {}
        self.modmail: dict[str, list[Json]] = {}
        """What was written to the moderators of `SUBREDDIT`, by conversation."""
        self.is_moderator = True
        self.hides_messages = False
        """Private messages are closed: Reddit sends whoever asks to its login page."""
        self._page = page
        self._minted = 46_655
        self.serve("POST", "/api/v1/access_token", self._token)
        self._as("GET", "/api/v1/me", "identity", lambda: {"name": ACCOUNT})
        self._as("GET", "/message/<tab>", "privatemessages", self._inbox)
        self._as(
            "GET", "/user/<name>/comments", "history", lambda name: self._listed(lambda one: one["author"] == name and one["kind"] == "t1")
        )
        self._as("GET", "/r/<subreddit>/<tab>", "read", self._subreddit)
        self._as("GET", "/api/info", "read", self._info)
        self._as("GET", "/search", "read", self._search)
        self._as("GET", "/api/user_data_by_account_ids", "privatemessages", self._people)
        self._as("GET", "/api/mod/conversations", "modmail", self._modmails)
        self._as("GET", "/api/mod/conversations/<one>", "modmail", self._modmail)
        self._as("POST", "/api/mod/conversations/<one>", "modmail", self._answer_modmail)
        self._as("POST", "/api/comment", "submit", self._comment)
        self._as("POST", "/api/editusertext", "edit", self._edit)
        self._as("POST", "/api/del", "edit", self._delete)

    def too_many(self, seconds: float) -> Refusal:
        """Reddit tells how long the span of its limit goes on."""
        headers = {"x-ratelimit-remaining": "0.0", "x-ratelimit-used": "100", "x-ratelimit-reset": str(int(seconds))}
        return Refusal(429, {"message": "Too Many Requests", "error": 429}, headers)

    def post(self, author: str, title: str, text: str = "", *, subreddit: str = "trains") -> str:
        """Somebody posts; returns the full name."""
        return self._say("t3", author, title=title, selftext=text, subreddit=subreddit, is_self=True, locked=False, archived=False)

    def comment(self, author: str, text: str, *, below: str) -> str:
        """Somebody comments below a post or comment."""
        parent = self.things[below]
        post = parent["name"] if parent["kind"] == "t3" else parent["link_id"]
        subreddit = self.things[post]["subreddit"]
        return self._say("t1", author, body=text, parent_id=below, link_id=post, subreddit=subreddit, locked=False)

    def message(self, author: str, text: str, *, to: str, below: str = "") -> str:
        """Somebody writes a private message."""
        first = self.things[below]["first_message_name"] or below if below else None
        subject = f"re: {self.things[first]['subject']}" if first else "A question"
        told = {"body": text, "dest": to, "subject": subject, "first_message_name": first, "parent_id": below or None, "was_comment": False}
        return self._say("t4", author, **told)

    def to_moderators(self, author: str, text: str, *, below: str = "", by_moderator: bool = False, is_internal: bool = False) -> str:
        """Somebody writes to the moderators, or one of them answers; returns the conversation."""
        conversation = below or f"c{len(self.modmail) + 1}"
        self._minted += 1
        self.modmail.setdefault(conversation, []).append(
            {
                "id": f"m{self._minted}",
                "author": {"name": author, "isMod": by_moderator, "isHidden": by_moderator, "isDeleted": False},
                "date": datetime.fromtimestamp(self.now(), UTC).isoformat(),
                "body": f"<p>{text}</p>",
                "bodyMarkdown": text,
                "isInternal": is_internal,
                "participatingAs": "moderator" if by_moderator else "participant_user",
            }
        )
        return conversation

    def change(self, one: str, text: str) -> None:
        """The author edits."""
        self.things[one]["body" if "body" in self.things[one] else "selftext"] = text
        self.things[one]["edited"] = self.now()

    def remove(self, one: str) -> None:
        """The author deletes; the place stays."""
        self.things[one] |= {"author": "[deleted]", "body" if "body" in self.things[one] else "selftext": "[deleted]"}

    def _say(self, kind: str, author: str, **told: Any) -> str:
        self._minted += 1
        number, digits = self._minted, ""
        while number:
            number, digit = divmod(number, 36)
            digits = _BASE36[digit] + digits
        name = f"{kind}_{digits}"
        path = f"/r/{told.get('subreddit')}/comments/{str(told.get('link_id', name))[3:]}/title/{digits if kind == 't1' else ''}"
        linked = {} if kind == "t4" else {"permalink": path}
        self.things[name] = {
            "kind": kind,
            "name": name,
            "id": digits,
            "author": author,
            "author_fullname": f"t2_{author.replace('_', '').lower()}",
            "created_utc": self.now(),
            "edited": False,
            **linked,
            **told,
        }
        return name

    def _token(self) -> Json:
        _check_agent()
        return self.signing_in.answer()

    def _as(self, method: str, path: str, scope: str, do: Callable[..., Any]) -> None:
        def act(**found: str) -> Any:
            _check_agent()
            self.signing_in.check(
                scope,
                unauthorized=Refusal(401, {"message": "Unauthorized", "error": 401}),
                missing=lambda one: Refusal(
                    403,
                    {"message": "Forbidden", "error": 403},
                    {"www-authenticate": f'Bearer realm="reddit", error="insufficient_scope", scope="{one}"'},
                ),
            )
            return do(**found)

        self.serve(method, path, act)

    def _inbox(self, tab: str) -> Any:
        if self.hides_messages and tab in ("messages", "sent"):
            raise Refusal(302, {}, {"location": "https://www.reddit.com/login"})
        ours = [one["name"] for one in self.things.values() if one["author"] == ACCOUNT]
        tabs: dict[str, Callable[[Json], bool]] = {
            "mentions": lambda one: one["kind"] == "t1" and f"u/{ACCOUNT}".lower() in one["body"].lower(),
            "comments": lambda one: one.get("parent_id") in ours and one["parent_id"].startswith("t1_"),
            "selfreply": lambda one: one.get("parent_id") in ours and one["parent_id"].startswith("t3_"),
            "messages": lambda one: one["kind"] == "t4" and one["dest"] == ACCOUNT,
            "sent": lambda one: one["kind"] == "t4" and one["author"] == ACCOUNT,
        }
        if tab not in tabs:
            raise Refusal(404, {"message": "Not Found", "error": 404})
        return self._listed(lambda one: (one["author"] != ACCOUNT or tab == "sent") and tabs[tab](one), is_inbox=True)

    def _subreddit(self, subreddit: str, tab: str) -> Json:
        kind = {"comments": "t1", "new": "t3"}.get(tab)
        if kind is None:
            raise Refusal(404, {"message": "Not Found", "error": 404})
        return self._listed(lambda one: one["kind"] == kind and one["subreddit"] in subreddit.split("+"))

    def _info(self) -> Json:
        given = checked(request.args, {"id!": str, "raw_json": str}, _invalid)
        wanted = given["id"].split(",")
        if len(wanted) > 100:
            raise _invalid("Too many ids")
        return _listing([self.things[one] for one in wanted if one in self.things], "")

    def _search(self) -> Json:
        given = checked(request.args, {"q!": str, "sort": str, "type": str, "limit": str, "after": str, "raw_json": str}, _invalid)
        if not given["q"].strip():
            raise Refusal(400, {"message": "Bad Request", "error": 400})
        return self._listed(lambda one: one["kind"] == "t3" and given["q"].lower() in one["title"].lower(), is_checked=True)

    def _listed(self, matches: Callable[[Json], bool], *, is_inbox: bool = False, is_checked: bool = False) -> Json:
        given = request.args if is_checked else checked(request.args, {"limit": str, "after": str, "raw_json": str}, _invalid)
        found = [one for one in reversed(self.things.values()) if matches(one)]
        names = [one["name"] for one in found]
        if given.get("after"):
            # A cursor whose thing is gone leads to nothing.
            found = found[names.index(given["after"]) + 1 :] if given["after"] in names else []
        most = min(int(given.get("limit", "25")), self._page)
        page = [_as_in_inbox(one) if is_inbox else self._as_in_a_list(one) for one in found[:most]]
        return _listing(page, page[-1]["name"] if len(found) > most else "")

    def _as_in_a_list(self, one: Json) -> Json:
        """Outside of its thread a comment tells whose post it stands below."""
        post = self.things.get(one.get("link_id", ""))
        return one if post is None else {**one, "link_author": post["author"], "link_title": post["title"]}

    def _people(self) -> Json:
        given = checked(request.args, {"ids!": str, "raw_json": str}, _invalid)
        names = {one["author_fullname"]: one for one in self.things.values()}
        return {
            one: {"name": names[one]["author"], "created_utc": 1.5e9, "link_karma": 1, "comment_karma": -9}
            for one in given["ids"].split(",")
            if one in names
        }

    def _modmails(self) -> Json:
        given = checked(request.args, {"entity!": str, "sort": str, "state": str, "limit": str, "after": str, "raw_json": str}, _invalid)
        if not self.is_moderator or given["entity"] != SUBREDDIT:
            raise Refusal(403, {"message": "Forbidden", "error": 403})
        names = sorted(self.modmail, key=lambda one: self.modmail[one][-1]["date"], reverse=True)
        names = names[names.index(given["after"]) + 1 :] if given.get("after") in names else names
        shown = names[: int(given.get("limit", "25"))]
        return {"conversations": {one: self._conversation(one) for one in shown}, "conversationIds": shown, "messages": {}}

    def _modmail(self, one: str) -> Json:
        if request.method == "GET":
            checked(request.args, {"markRead": str, "raw_json": str}, _invalid)
        if one not in self.modmail:
            raise Refusal(404, {"message": "Not Found", "error": 404})
        return {"conversation": self._conversation(one), "messages": {told["id"]: told for told in self.modmail[one]}, "modActions": {}}

    def _answer_modmail(self, one: str) -> Any:
        given = _form({"body!": str, "isAuthorHidden": str, "isInternal": str})
        if one not in self.modmail:
            raise Refusal(404, {"message": "Not Found", "error": 404})
        if len(given["body"]) > _LONGEST:
            return _refusal("TOO_LONG", f"this is too long (max: {_LONGEST})", "body")
        self.to_moderators(ACCOUNT, given["body"], below=one, by_moderator=True, is_internal=given.get("isInternal") == "true")
        return self._modmail(one)

    def _conversation(self, one: str) -> Json:
        told = self.modmail[one]
        names = [{"id": message["id"], "key": "messages"} for message in told]
        return {"id": one, "subject": "A question", "isInternal": told[0]["isInternal"], "lastUpdated": told[-1]["date"], "objIds": names}

    def _comment(self) -> Json:
        given = _form({"thing_id!": str, "text!": str})
        parent = self.things.get(given["thing_id"])
        if parent is None:
            return _refusal("NO_THING_ID", "id not specified", "parent")
        if not given["text"].strip():
            return _refusal("NO_TEXT", "we need something here", "text")
        if len(given["text"]) > _LONGEST:
            return _refusal("TOO_LONG", f"this is too long (max: {_LONGEST})", "text")
        if parent["author"] == "[deleted]" and parent["kind"] == "t1":
            return _refusal("DELETED_COMMENT", "that comment has been deleted", "parent")
        if parent.get("locked") or self.things.get(parent.get("link_id", ""), {}).get("locked"):
            return _refusal("THREAD_LOCKED", "Comments are locked.", "parent")
        if parent["kind"] == "t4":
            made = self.message(ACCOUNT, given["text"], to=parent["author"], below=parent["name"])
        else:
            made = self.comment(ACCOUNT, given["text"], below=parent["name"])
        return _made(self.things[made])

    def _edit(self) -> Json:
        given = _form({"thing_id!": str, "text!": str})
        self._ours(given["thing_id"])
        self.change(given["thing_id"], given["text"])
        return _made(self.things[given["thing_id"]])

    def _delete(self) -> Json:
        given = _form({"id!": str})
        if self.things.get(given["id"], {}).get("author") != "[deleted]":
            self._ours(given["id"])
            self.remove(given["id"])
        return {}

    def _ours(self, one: str) -> None:
        if self.things.get(one, {}).get("author") != ACCOUNT:
            raise Refusal(403, {"message": "Forbidden", "error": 403})


def _check_agent() -> None:
    """Reddit turns nameless programs away."""
    if not _AGENT.match(request.headers.get("user-agent", "")):
        raise Refusal(429, {"message": "Too Many Requests", "error": 429})


def _form(allowed: Json) -> Json:
    if request.mimetype != "application/x-www-form-urlencoded":
        raise _invalid("Not a form")
    given = checked(request.form, {**allowed, "api_type!": str, "raw_json": str}, _invalid)
    if given["api_type"] != "json":
        raise _invalid("api_type")
    return given


def _as_in_inbox(one: Json) -> Json:
    """In the inbox a comment tells of its post only by its address."""
    if one["kind"] != "t1":
        return one
    shown = {name: value for name, value in one.items() if name not in ("link_id", "permalink", "locked")}
    return {**shown, "context": one["permalink"] + "?context=3", "was_comment": True}


def _listing(page: list[Json], after: str) -> Json:
    children = [{"kind": one["kind"], "data": {name: value for name, value in one.items() if name != "kind"}} for one in page]
    return {"kind": "Listing", "data": {"after": after or None, "before": None, "dist": len(page), "children": children}}


def _made(one: Json) -> Json:
    return {"json": {"errors": [], "data": {"things": _listing([one], "")["data"]["children"]}}}


def _refusal(name: str, words: str, field: str) -> Json:
    return {"json": {"errors": [[name, words, field]]}}


def _invalid(words: str) -> Refusal:
    return Refusal(400, {"message": words, "error": 400})
