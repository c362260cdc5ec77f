"""What is asked for when posts and direct messages are read: no more than is used, since X bills what it hands over.

Source: X documentation, "Fields" and "Expansions"; API reference 2.167, in which "post" begins to take the place of "tweet".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.platforms.x.client import list_of
from plugin.platforms.x.values import read_object, read_string

_PEOPLE = ("created_at", "id", "name", "profile_image_url", "public_metrics", "username", "verified")
_MEDIA = ("alt_text", "media_key", "preview_image_url", "type", "url", "variants")
_COMMON = ("attachments", "conversation_id", "created_at", "display_text_range", "entities", "id", "lang", "text")
_POSTS = {
    "tweet": {
        "tweet_fields": (*_COMMON, "author_id", "edit_history_tweet_ids", "in_reply_to_user_id", "note_tweet", "referenced_tweets"),
        "expansions": ("attachments.media_keys", "author_id", "referenced_tweets.id"),
    },
    "post": {
        "tweet_fields": (*_COMMON, "note_post"),
        "expansions": ("attachments.media_keys", "author_id", "edit_history_post_ids", "in_reply_to_user_id", "referenced_posts"),
    },
}
_MESSAGES = {
    "tweet": {
        "dm_event_fields": (
            *("attachments", "created_at", "dm_conversation_id", "entities", "event_type", "id"),
            *("referenced_tweets", "sender_id", "text"),
        ),
        "expansions": ("attachments.media_keys", "referenced_tweets.id", "sender_id"),
    },
    "post": {
        "dm_event_fields": ("attachments", "created_at", "dm_conversation_id", "entities", "event_type", "id", "text"),
        "expansions": ("attachments.media_keys", "referenced_posts", "sender_id"),
    },
}
NOTICED = (UnsupportedEvent, MalformedPayload)
"""What one thing among many can be without harm to the others."""


def for_posts(spelling: str) -> dict[str, Sequence[str]]:
    """Arguments of python-twitter-v2 for reading posts, with authors, files and what they quote."""
    return {**_POSTS[spelling], "user_fields": _PEOPLE, "media_fields": _MEDIA}


def for_wordings(spelling: str) -> dict[str, Sequence[str]]:
    """As `for_posts`, without the people and posts around them: to look again, or to look for our own."""
    wanted = _POSTS[spelling]
    expansions = [one for one in wanted["expansions"] if one.startswith(("attachments", "edit_history")) or spelling == "post"]
    return {"tweet_fields": wanted["tweet_fields"], "expansions": expansions, "media_fields": _MEDIA}


def for_messages(spelling: str) -> dict[str, Any]:
    """Arguments of python-twitter-v2 for reading direct messages."""
    return {**_MESSAGES[spelling], "user_fields": _PEOPLE, "media_fields": _MEDIA, "event_types": "MessageCreate"}


def found_in(body: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each thing of a page with what was handed over beside it."""
    includes = read_object(body.get("includes"))
    yield from ((raw, includes) for raw in list_of(body))


def next_page(body: Mapping[str, Any]) -> str:
    """The token of the page behind this one, empty behind the last."""
    return read_string(read_object(body.get("meta")).get("next_token"))
