"""Posts as X tells of them, in v2 (both spellings) and in v1.1, as one form. Decides nothing.

Sources: X documentation, data dictionary, "Post"; "Edit Posts"; Account Activity API, "tweet_create_events".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from plugin.domain.model import Attachment, Contact
from plugin.domain.text import Text
from plugin.platforms.x.files import of_old_post, of_post, own_links
from plugin.platforms.x.people import SITE, contact, people_of
from plugin.platforms.x.values import need_id, pick, read_id, read_object, read_objects, read_stamp, read_string, read_time
from plugin.platforms.x.wording import lead_of, said


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post in its latest wording. Ids are empty where X does not tell."""

    id: str
    """Of this wording."""
    history: tuple[str, ...]
    """Of all wordings, oldest first; the first one stays the post's name."""
    author: Contact
    text: Text
    at: datetime | None
    conversation: str = ""
    parent: str = ""
    parent_author: str = ""
    quoted: str = ""
    quoted_author: str = ""
    is_repost: bool = False
    mentioned: frozenset[str] = frozenset()
    """Everybody named in it, by the author or because it is an answer."""
    addressed: tuple[str, ...] = ()
    """Those whom X names before an answer's own words, in their order."""
    named: frozenset[str] = frozenset()
    """Those whom the author named in the words."""
    attachments: tuple[Attachment, ...] = ()
    remarks: tuple[str, ...] = field(default=())

    @property
    def first(self) -> str:
        """The id by which the post is known."""
        return self.history[0]

    @property
    def revision(self) -> int:
        """How often it was edited."""
        return self.history.index(self.id)

    @property
    def url(self) -> str:
        """Where people read it."""
        return f"{SITE}/{self.author.handle or 'i'}/status/{self.id}"


def read_post(raw: Mapping[str, Any], includes: Mapping[str, Any]) -> Post:
    """A v2 post.

    Raises:
        MalformedPayload: it names no id or no author.
    """
    one, author = need_id(raw, "id"), need_id(raw, "author_id")
    related = {
        read_string(ref.get("type")): read_id(ref.get("id")) for ref in read_objects(pick(raw, "referenced_tweets", "referenced_posts"))
    }
    known = {key: post for post in read_objects(pick(includes, "tweets", "posts")) if (key := read_id(post.get("id")))}
    note = read_object(pick(raw, "note_tweet", "note_post"))
    short, entities = read_string(raw.get("text")), read_object(raw.get("entities"))
    parent = related.get("replied_to") or read_id(pick(raw, "in_reply_to_tweet_id", "in_reply_to_post_id"))
    lead = lead_of(short, raw.get("display_text_range")) if parent else ""
    words = note if read_string(note.get("text")) else {"text": short, "entities": entities}
    files, missing = of_post(raw, includes)
    text = said(
        read_string(words.get("text")), words.get("entities"), hidden=own_links(entities) if files or missing else frozenset(), lead=lead
    )
    mentions = _named_in(entities, "mentions") | _named_in(note.get("entities"), "mentions")
    addressed = tuple(mentions[handle] for handle in _handles(lead) if handle in mentions)
    own_words = read_string(words.get("text")).removeprefix(lead).lower()
    quoted = related.get("quoted", "")
    return Post(
        id=one,
        history=_history(pick(raw, "edit_history_tweet_ids", "edit_history_post_ids"), one),
        author=contact(author, people_of(includes.get("users")), language=read_string(raw.get("lang"))),
        text=text,
        at=read_time(raw.get("created_at")),
        conversation=read_id(raw.get("conversation_id")),
        parent=parent,
        parent_author=read_id(raw.get("in_reply_to_user_id")) or read_id(known.get(parent, {}).get("author_id")),
        quoted=quoted,
        quoted_author=read_id(known.get(quoted, {}).get("author_id")),
        is_repost="retweeted" in related,
        mentioned=frozenset(mentions.values()),
        addressed=addressed,
        named=frozenset(number for handle, number in mentions.items() if f"@{handle}" in own_words),
        attachments=files,
        remarks=(*missing, *_poll(raw)),
    )


def read_old_post(raw: Mapping[str, Any]) -> Post:
    """A v1.1 post. Its long form stands apart, and it does not tell to which conversation it belongs.

    Raises:
        MalformedPayload: it names no id or no author.
    """
    one, user = need_id(raw, "id_str"), read_object(raw.get("user"))
    author = need_id(user, "id_str")
    long = read_object(raw.get("extended_tweet"))
    form = long if read_string(long.get("full_text")) else raw
    short, entities = read_string(pick(form, "full_text", "text")), read_object(form.get("entities"))
    parent, quoted = read_id(raw.get("in_reply_to_status_id_str")), read_object(raw.get("quoted_status"))
    lead = lead_of(short, form.get("display_text_range")) if parent else ""
    files, missing = of_old_post(raw)
    mentions = _named_in(entities, "user_mentions")
    own_words = short.removeprefix(lead).lower()
    return Post(
        id=one,
        history=_history(read_object(raw.get("edit_history")).get("edit_tweet_ids"), one),
        author=contact(author, people_of([user]), language=read_string(raw.get("lang"))),
        text=said(short, entities, hidden=own_links(entities), lead=lead),
        at=read_stamp(raw.get("timestamp_ms")) or read_time(raw.get("created_at")),
        conversation=read_id(raw.get("conversation_id_str")),
        parent=parent,
        parent_author=read_id(raw.get("in_reply_to_user_id_str")),
        quoted=read_id(pick(raw, "quoted_status_id_str")),
        quoted_author=read_id(read_object(quoted.get("user")).get("id_str")),
        is_repost=isinstance(raw.get("retweeted_status"), dict),
        mentioned=frozenset(mentions.values()),
        addressed=tuple(mentions[handle] for handle in _handles(lead) if handle in mentions),
        named=frozenset(number for handle, number in mentions.items() if f"@{handle}" in own_words),
        attachments=files,
        remarks=missing,
    )


def _history(listed: Any, one: str) -> tuple[str, ...]:
    found = tuple(key for key in listed if read_id(key)) if isinstance(listed, list) else ()
    return found if one in found else (one,)


def _named_in(entities: Any, name: str) -> dict[str, str]:
    """Ids by handle in small letters."""
    found = read_objects(read_object(entities).get(name))
    named = ((read_string(pick(one, "username", "screen_name")).lower(), read_id(pick(one, "id_str", "id"))) for one in found)
    return {handle: number for handle, number in named if handle and number}


def _handles(lead: str) -> list[str]:
    return [one.removeprefix("@").lower() for one in lead.split()]


def _poll(raw: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        ("The post holds a poll, which is not shown here; see the original.",)
        if read_object(raw.get("attachments")).get("poll_ids")
        else ()
    )
