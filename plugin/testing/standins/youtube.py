"""A strict stand-in of the part of YouTube's Data API that comments need, for tests.

It refuses what YouTube refuses: unknown parameters and fields, other content types, sign-ins that ended or lack the permission, texts that are
too long, answers to answers, and calls beyond the day's quota. Sources: YouTube Data API, reference and "Errors".

    with YouTubeStandIn() as youtube:
        thread = youtube.say(CUSTOMER, "Where is my train?")
        ... YouTubeAdapter with youtube.url ...
        youtube.comments
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import request

from plugin.testing.standins.closed import checked, sent_json
from plugin.testing.standins.serving import Json, Refusal, StandIn
from plugin.testing.standins.signing_in import SignIns

CHANNEL, CUSTOMER, BYSTANDER = "UCexamplerail0000000000A", "UClenamarsh000000000000B", "UChelpful00000000000000C"
CLIENT_ID, CLIENT_SECRET = "1234567890-abc.apps.googleusercontent.com", "GOCSPX-not-a-real-secret"
SCOPE = "https://www.googleapis.com/auth/youtube.force-ssl"
VIDEO = "dQw4w9WgXcQ"
_LONGEST = 10_000
_PEOPLE = {
    CHANNEL: ("@examplerail", "Example Rail", 5400),
    CUSTOMER: ("@lenamarsh", "Lena Marsh", 120),
    BYSTANDER: ("@helpful", "Helpful", None),
}
_LISTING: Json = {"part!": str, "textFormat": str, "maxResults": str, "pageToken": str}
_SHOWN = 5
"""Answers that a thread shows of itself."""


@dataclass(slots=True, kw_only=True)
class Said:
    """A comment. `parent` is empty for one that begins a thread."""

    id: str
    parent: str
    author: str
    text: str
    at: float
    changed: float
    status: str = "published"


class YouTubeStandIn(StandIn):
    """One channel's comments, and the quota of one project."""

    def __init__(self, *, now: Callable[[], float] = time.time, quota: int = 10_000, page: int = 100) -> None:
        super().__init__("youtube", now=now)
        self.signing_in = SignIns(CLIENT_ID, CLIENT_SECRET, now)
        self.quota = quota
        self.used = 0
        self.comments: dict[str, Said] = {}
        self.videos: list[Json] = []
        self.shut: set[str] = set()
        """Threads below which nobody may answer."""
        self._page = page
        self._minted = 0
        self.serve("POST", "/token", self.signing_in.answer)
        self._as("GET", "channels", 1, self._channels)
        self._as("GET", "commentThreads", 1, self._threads)
        self._as("GET", "comments", 1, self._listed)
        self._as("POST", "comments", 50, self._insert)
        self._as("PUT", "comments", 50, self._update)
        self._as("DELETE", "comments", 50, self._delete)
        self._as("POST", "comments/setModerationStatus", 50, self._moderate)
        self._as("GET", "search", 100, self._search)

    def too_many(self, seconds: float) -> Refusal:
        """Google tells of no seconds."""
        del seconds
        return _refused(403, "rateLimitExceeded", "Rate Limit Exceeded")

    def say(self, author: str, text: str, *, below: str = "") -> str:
        """A person comments; returns the comment's id."""
        self._minted += 1
        one = f"Ugz{self._minted:023d}"
        one = f"{below}.{one}" if below else one
        at = self.now()
        self.comments[one] = Said(id=one, parent=below, author=author, text=text, at=at, changed=at)
        return one

    def change(self, one: str, text: str) -> None:
        """A person edits a comment."""
        self.comments[one].text = text
        self.comments[one].changed = max(self.now(), self.comments[one].at + 1)

    def remove(self, one: str) -> None:
        """A person deletes a comment, and with it what stands below."""
        self.comments = {key: said for key, said in self.comments.items() if one not in (key, said.parent)}

    def publish(self, author: str, title: str) -> str:
        """A person publishes a video."""
        self._minted += 1
        video = f"vid{self._minted:08d}"
        snippet = {
            "channelId": author,
            "channelTitle": _PEOPLE[author][1],
            "title": title,
            "description": "A film.",
            "publishedAt": _iso(self.now()),
        }
        self.videos.append({"kind": "youtube#searchResult", "id": {"kind": "youtube#video", "videoId": video}, "snippet": snippet})
        return video

    def _as(self, method: str, what: str, units: int, do: Callable[[], Any]) -> None:
        def act() -> Any:
            self.signing_in.check(
                SCOPE,
                unauthorized=_refused(401, "authError", "Invalid Credentials"),
                missing=lambda _: _refused(403, "insufficientPermissions", "Request had insufficient authentication scopes."),
            )
            if self.used + units > self.quota:
                raise _refused(403, "quotaExceeded", "The request cannot be completed because you have exceeded your quota.")
            self.used += units
            return do()

        self.serve(method, f"/youtube/v3/{what}", act)

    def _channels(self) -> Json:
        given = checked(request.args, {"part!": str, "mine": str, "id": str, "maxResults": str}, _invalid)
        wanted = [CHANNEL] if given.get("mine") == "true" else given.get("id", "").split(",")
        return {"kind": "youtube#channelListResponse", "items": [_channel(one) for one in wanted if one in _PEOPLE]}

    def _threads(self) -> Json:
        given = checked(request.args, {**_LISTING, "allThreadsRelatedToChannelId": str, "order": str, "id": str}, _invalid)
        if ("id" in given) == ("allThreadsRelatedToChannelId" in given) or ("id" in given and {"order", "maxResults"} & set(given)):
            raise _invalid("Give exactly one filter")
        if given.get("allThreadsRelatedToChannelId", CHANNEL) != CHANNEL:
            raise _refused(404, "channelNotFound", "The channel cannot be found.")
        begun = [said for said in self.comments.values() if not said.parent and said.status == "published"]
        if "id" in given:
            begun = [said for said in begun if said.id in given["id"].split(",")]
        return self._paged("youtube#commentThreadListResponse", given, [self._shown_thread(said) for said in _newest(begun)])

    def _listed(self) -> Json:
        given = checked(request.args, {**_LISTING, "parentId": str, "id": str}, _invalid)
        if ("id" in given) == ("parentId" in given) or ("id" in given and "maxResults" in given):
            raise _invalid("Give exactly one filter, and maxResults only with parentId")
        if "id" in given:
            if len(wanted := given["id"].split(",")) > 50:
                raise _invalid("Too many ids")
            found = [self.comments[one] for one in wanted if one in self.comments]
        else:
            if given["parentId"] not in self.comments:
                raise _refused(404, "commentNotFound", "One or more of the specified comments cannot be found.")
            found = _newest([said for said in self.comments.values() if said.parent == given["parentId"]])
        return self._paged("youtube#commentListResponse", given, [self._shown(said, given.get("textFormat", "html")) for said in found])

    def _insert(self) -> Json:
        checked(request.args, {"part!": str}, _invalid)
        given = checked(sent_json(_invalid), {"snippet!": {"parentId!": str, "textOriginal!": str}}, _invalid)["snippet"]
        parent = self.comments.get(given["parentId"])
        if parent is None or parent.parent:
            raise _refused(404, "parentCommentNotFound", "The specified parent comment could not be found.")
        if parent.id in self.shut:
            raise _refused(403, "forbidden", "The comment cannot be created due to insufficient permissions.")
        return self._shown(self.comments[self.say(CHANNEL, _text(given), below=parent.id)], "html")

    def _update(self) -> Json:
        checked(request.args, {"part!": str}, _invalid)
        given = checked(sent_json(_invalid), {"id!": str, "snippet!": {"textOriginal!": str}}, _invalid)
        said = self._ours(given["id"])
        self.change(said.id, _text(given["snippet"]))
        return self._shown(said, "html")

    def _delete(self) -> None:
        self.remove(self._ours(checked(request.args, {"id!": str}, _invalid)["id"]).id)

    def _moderate(self) -> None:
        given = checked(request.args, {"id!": str, "moderationStatus!": str, "banAuthor": str}, _invalid)
        if given["moderationStatus"] not in ("published", "heldForReview", "rejected"):
            raise _invalid("moderationStatus")
        if given["id"] not in self.comments:
            raise _refused(404, "commentNotFound", "One or more of the specified comments cannot be found.")
        self.comments[given["id"]].status = given["moderationStatus"]

    def _search(self) -> Json:
        allowed = {"part!": str, "q": str, "type": str, "order": str, "publishedAfter": str, "maxResults": str, "pageToken": str}
        given = checked(request.args, allowed, _invalid)
        if given.get("q", "").count('"') % 2:
            raise _refused(400, "invalidSearchFilter", "The request contains an invalid combination of search filters.")
        found = [one for one in self.videos if one["snippet"]["publishedAt"] >= given.get("publishedAfter", "")]
        found = [one for one in found if given.get("q", "").strip('"').lower() in one["snippet"]["title"].lower()]
        return self._paged("youtube#searchListResponse", given, sorted(found, key=lambda one: one["snippet"]["publishedAt"], reverse=True))

    def _ours(self, one: str) -> Said:
        if one not in self.comments:
            raise _refused(404, "commentNotFound", "One or more of the specified comments cannot be found.")
        if self.comments[one].author != CHANNEL:
            raise _refused(403, "forbidden", "The comment cannot be changed due to insufficient permissions.")
        return self.comments[one]

    def _paged(self, kind: str, given: Json, items: list[Json]) -> Json:
        at = int(given.get("pageToken", "0"))
        most = int(given.get("maxResults", "20"))
        if not 0 < most <= 100:
            raise _invalid("maxResults")
        # Ids that were asked for by name come in one page.
        end = at + (len(items) if "id" in given else min(most, self._page))
        return {"kind": kind, "items": items[at:end], **({"nextPageToken": str(end)} if end < len(items) else {})}

    def _shown_thread(self, said: Said) -> Json:
        below = _newest([one for one in self.comments.values() if one.parent == said.id])
        snippet = {
            "channelId": CHANNEL,
            "videoId": VIDEO,
            "topLevelComment": self._shown(said, "plainText"),
            "canReply": said.id not in self.shut,
            "totalReplyCount": len(below),
            "isPublic": True,
        }
        replies = {"replies": {"comments": [self._shown(one, "plainText") for one in below[:_SHOWN]]}} if below else {}
        return {"kind": "youtube#commentThread", "id": said.id, "snippet": snippet, **replies}

    def _shown(self, said: Said, form: str) -> Json:
        handle = _PEOPLE[said.author][0]
        shown = said.text if form == "plainText" else said.text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
        snippet = {
            "authorDisplayName": handle,
            "authorProfileImageUrl": f"https://yt3.ggpht.com/{said.author}",
            "authorChannelUrl": f"http://www.youtube.com/{handle}",
            "authorChannelId": {"value": said.author},
            "channelId": CHANNEL,
            "textDisplay": shown,
            "textOriginal": said.text,
            "likeCount": 0,
            "publishedAt": _iso(said.at),
            "updatedAt": _iso(said.changed),
            **({"parentId": said.parent} if said.parent else {"videoId": VIDEO}),
        }
        return {"kind": "youtube#comment", "id": said.id, "snippet": snippet}


def _channel(one: str) -> Json:
    _, title, followers = _PEOPLE[one]
    counted = {"hiddenSubscriberCount": True} if followers is None else {"hiddenSubscriberCount": False, "subscriberCount": str(followers)}
    return {"kind": "youtube#channel", "id": one, "snippet": {"title": title, "publishedAt": "2015-03-01T10:00:00Z"}, "statistics": counted}


def _text(snippet: Json) -> str:
    text: str = snippet["textOriginal"]
    if not text.strip():
        raise _refused(400, "commentTextRequired", "The API request must contain the comment text.")
    if len(text) > _LONGEST:
        raise _refused(400, "commentTextTooLong", "The comment text is too long.")
    return text


def _newest(several: list[Said]) -> list[Said]:
    return sorted(several, key=lambda said: (said.at, said.id), reverse=True)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _invalid(words: str) -> Refusal:
    return _refused(400, "badRequest", words)


def _refused(status: int, reason: str, words: str) -> Refusal:
    problem = {"message": words, "domain": "youtube", "reason": reason}
    return Refusal(status, {"error": {"code": status, "message": words, "errors": [problem]}})
