"""Requests as X's description of its API has them: parameters and bodies are closed, and each value has a form.

Source: X API reference 2.167 (`additionalProperties: false`, enumerations, patterns, ranges).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from plugin.testing.standins.x.refusals import Refused, invalid

_ID = re.compile(r"[0-9]{1,19}\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")
_COMMON = {
    "article", "attachments", "card_uri", "community_id", "context_annotations", "conversation_id", "created_at", "display_text_range",
    "edit_controls", "entities", "geo", "id", "lang", "possibly_sensitive", "public_metrics", "reply_settings", "source", "text", "withheld",
}  # fmt: skip
FIELDS: Mapping[str, frozenset[str]] = {
    "tweet.fields": frozenset(
        _COMMON | {"author_id", "edit_history_tweet_ids", "in_reply_to_user_id", "note_tweet", "referenced_tweets"}
    ),
    "post.fields": frozenset(_COMMON | {"note_post"}),
    "dm_event.fields": frozenset({
        "attachments", "created_at", "dm_conversation_id", "entities", "event_type", "id", "participant_ids", "referenced_tweets", "sender_id",
        "text",
    }),
    "user.fields": frozenset({
        "created_at", "description", "id", "location", "name", "profile_image_url", "protected", "public_metrics", "url", "username", "verified",
        "verified_type",
    }),
    "media.fields": frozenset({
        "alt_text", "duration_ms", "height", "media_key", "preview_image_url", "public_metrics", "type", "url", "variants", "width",
    }),
    "expansions": frozenset({
        "attachments.media_keys", "attachments.poll_ids", "author_id", "edit_history_tweet_ids", "entities.mentions.username",
        "in_reply_to_user_id", "referenced_tweets.id", "referenced_tweets.id.author_id", "edit_history_post_ids", "referenced_posts",
        "sender_id", "participant_ids",
    }),
}  # fmt: skip
POSTS = frozenset({"tweet.fields", "post.fields", "user.fields", "media.fields", "expansions"})
MESSAGES = frozenset({"dm_event.fields", "user.fields", "media.fields", "tweet.fields", "post.fields", "expansions", "event_types"})
PAGES = frozenset({"since_id", "until_id", "start_time", "end_time", "max_results", "pagination_token", "next_token"})


def check_query(given: Mapping[str, str], allowed: frozenset[str], *, fewest: int = 1, most: int = 100) -> None:
    """Refuse what the API's description does not have.

    Raises:
        Refused: 400.
    """
    for name, value in given.items():
        if name not in allowed:
            raise invalid(f"The query parameter [{name}] is not one of [{','.join(sorted(allowed))}]")
        known = FIELDS.get(name)
        for one in value.split(",") if known is not None else ():
            if known is not None and one not in known:
                raise invalid(f"The `{name}` query parameter value [{one}] is not one of [{','.join(sorted(known))}]")
        if name in ("since_id", "until_id") and not _ID.match(value):
            raise invalid(f"The `{name}` query parameter value [{value}] is not valid")
        if name in ("start_time", "end_time") and not _TIME.match(value):
            raise invalid(f"The `{name}` query parameter value [{value}] is not valid")
        if name == "max_results" and not (value.isdecimal() and fewest <= int(value) <= most):
            raise invalid(f"The `max_results` query parameter value [{value}] is not between {fewest} and {most}")
        if name == "event_types" and not set(value.split(",")) <= {"MessageCreate", "ParticipantsJoin", "ParticipantsLeave"}:
            raise invalid(f"The `event_types` query parameter value [{value}] is not valid")


def checked(body: Any, schema: Mapping[str, Any], at: str = "$") -> Mapping[str, Any]:
    """A body by its schema: a type, `[type]` for lists, an object for objects; a name with `!` behind it is needed.

    Raises:
        Refused: 400 for anything unknown, missing or of another type.
    """
    if not isinstance(body, dict):
        raise invalid(f"{at}: object found was expected")
    known = {name.rstrip("!"): form for name, form in schema.items()}
    for name, value in body.items():
        if name not in known:
            raise invalid(f"{at}.{name}: is not defined in the schema and the schema does not allow additional properties")
        _check(value, known[name], f"{at}.{name}")
    for name in schema:
        if name.endswith("!") and name[:-1] not in body:
            raise invalid(f"{at}.{name[:-1]}: is missing but it is required")
    return body


def need_type(found: str, wanted: str) -> None:
    """Refuse a body of another kind.

    Raises:
        Refused: 415.
    """
    if found != wanted:
        raise Refused(415, "Unsupported Media Type", f"The content type {found or 'of nothing'} is not {wanted}.")


def is_id(value: Any) -> bool:
    """Whether something is an id: 1 to 19 digits, as text."""
    return isinstance(value, str) and _ID.match(value) is not None


def _check(value: Any, form: Any, at: str) -> None:
    if isinstance(form, dict):
        checked(value, form, at)
    elif isinstance(form, list):
        if not isinstance(value, list) or not value:
            raise invalid(f"{at}: array with at least one item was expected")
        for one in value:
            _check(one, form[0], at)
    elif form == "id":
        if not is_id(value):
            raise invalid(f"{at}: does not match the regex pattern ^[0-9]{{1,19}}$")
    elif not isinstance(value, form) or (form is int and isinstance(value, bool)):
        raise invalid(f"{at}: {type(value).__name__} found, {form.__name__} expected")
