"""A second look at posts: X tells nobody that a customer edited or deleted one.

Source: X documentation, "Posts lookup" (100 at once; what is missing stands under `errors`), "Edit Posts".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugin.domain.events import PlatformEvent
from plugin.domain.ids import MessageRef
from plugin.platforms.x.asking import NOTICED, for_wordings, found_in
from plugin.platforms.x.client import Client, list_of
from plugin.platforms.x.keys import post_id
from plugin.platforms.x.posts import Post, read_post
from plugin.platforms.x.public import deleted, edited
from plugin.platforms.x.values import pick, read_id, read_string

AT_ONCE = 100
"""Posts that one call may name."""


class Looking:
    """Looks again, for one account."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._account = client.settings.account_id

    def again(self, message_refs: Sequence[MessageRef]) -> Sequence[PlatformEvent]:
        """Edits and deletions among `message_refs`; direct messages can be neither."""
        wanted = [one for ref in message_refs if read_id(one := post_id(ref))]
        told: list[PlatformEvent] = []
        for at in range(0, len(wanted), AT_ONCE):
            told += self._some(wanted[at : at + AT_ONCE])
        return told

    def _some(self, wanted: Sequence[str]) -> list[PlatformEvent]:
        body = self._asked(wanted)
        posts = _posts(body)
        # An older wording is shown as it was; its history names the latest.
        latest = {post.history[-1] for post in posts if post.history[-1] != post.id}
        posts += _posts(self._asked(sorted(latest))) if latest else []
        told: list[PlatformEvent] = [edited(post, self._account) for post in posts if post.revision and post.history[-1] == post.id]
        gone = [one for problem in list_of(body, "errors") if (one := _missing(problem)) in wanted]
        return [*told, *(deleted(one, is_own=False) for one in dict.fromkeys(gone))]

    def _asked(self, wanted: Sequence[str]) -> dict[str, Any]:
        found = self._client.sdk.get_tweets(list(wanted), return_json=True, **for_wordings(self._client.settings.spelling))
        return dict(found)


def _posts(body: Mapping[str, Any]) -> list[Post]:
    posts = []
    for raw, includes in found_in(body):
        try:
            posts.append(read_post(raw, includes))
        except NOTICED:
            continue  # surely there, and nothing to tell of
    return posts


def _missing(problem: Mapping[str, Any]) -> str:
    """The post that X says it has not. One that it does not show us (a protected or suspended author) is not deleted."""
    if not read_string(problem.get("type")).endswith("/resource-not-found"):
        return ""
    return read_id(pick(problem, "resource_id", "value"))
