"""What is in the world as X shows it: v2 in both spellings, and v1.1 as the older webhooks have it. Changes nothing."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from plugin.testing.standins.x.measures import links
from plugin.testing.standins.x.world import Media, Message, Person, Post, World

Json = dict[str, Any]
_RENAMED = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
    "tweets": "posts",
    "tweet_count": "post_count",
}
_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "video/mp4": "mp4"}
_LONG = 280


class Shapes:
    """How one world looks from outside. `address` is where files are had; `spelling` is "tweet" or "post"."""

    def __init__(self, world: World, *, spelling: str = "tweet") -> None:
        self._world = world
        self.address = ""
        self.spelling = spelling

    def spelt(self, value: Any, spelling: str = "") -> Any:
        """`value` with X's new names for its old ones, if that is how it spells."""
        if (spelling or self.spelling) != "post":
            return value
        if isinstance(value, dict):
            return {_RENAMED.get(key, key): self.spelt(inner, "post") for key, inner in value.items()}
        return [self.spelt(one, "post") for one in value] if isinstance(value, list) else value

    def user(self, person: Person) -> Json:
        """A v2 user."""
        shown: Json = {
            "id": person.id,
            "name": person.name,
            "username": person.handle,
            "verified": person.is_verified,
            "verified_type": "blue" if person.is_verified else "none",
            "protected": person.is_protected,
            "created_at": "2023-10-23T13:44:53.000Z",
            "profile_image_url": f"{self.address}/faces/{person.id}.jpg",
            "public_metrics": {"followers_count": person.followers, "following_count": 1, "tweet_count": 50, "listed_count": 4},
        }
        return shown | ({"affiliation": {"description": "Automated"}} if person.is_automated else {})

    def post(self, post: Post) -> Json:
        """A v2 post with every field that is ever asked for."""
        world, lead = self._world, self.lead(post)
        text, urls = self._shortened(post.text, post.media)
        names = [*post.addressed, *world.named(post.text)]
        reposted = world.posts.get(post.reposted)
        if reposted is not None:
            text, names = f"RT @{world.people[reposted.author].handle}: {reposted.text}", [reposted.author, *world.named(reposted.text)]
        shown: Json = {
            "id": post.id,
            "author_id": post.author,
            "text": lead + text,
            "conversation_id": post.conversation,
            "created_at": iso(post.at),
            "edit_history_tweet_ids": list(post.history),
            "display_text_range": [len(lead), len(lead + text)],
            "lang": "en",
            "reply_settings": "everyone",
        }
        if mentions := [
            {"start": 0, "end": len(world.people[one].handle) + 1, "username": world.people[one].handle, "id": one}
            for one in dict.fromkeys(names)
        ]:
            shown.setdefault("entities", {})["mentions"] = mentions
        if urls:
            shown.setdefault("entities", {})["urls"] = urls
        kinds = (("replied_to", post.parent), ("quoted", post.quoted), ("retweeted", post.reposted))
        if references := [{"type": kind, "id": one} for kind, one in kinds if one]:
            shown["referenced_tweets"] = references
        if post.parent:
            shown["in_reply_to_tweet_id"] = post.parent
            parent = world.posts.get(post.parent)
            shown["in_reply_to_user_id"] = parent.author if parent is not None else (post.addressed or ("",))[0]
        if post.media:
            shown["attachments"] = {"media_keys": [f"3_{one}" for one in post.media]}
        if len(text) > _LONG:
            shown["note_tweet"] = {"text": lead + text, "entities": shown.get("entities", {})}
            shown["text"] = (lead + text)[: _LONG - 1] + "…"
        return shown

    def lead(self, post: Post) -> str:
        """The names before an answer's own words, without those that the author wrote there."""
        return "".join(f"@{self._world.people[one].handle} " for one in post.addressed if one not in self._world.named(post.text))

    def includes(self, posts: Sequence[Post], *, with_people: bool = True) -> Json:
        """What is handed over beside posts: authors, files, and the posts that they point to."""
        world = self._world
        around = [world.posts[one] for post in posts for one in (post.parent, post.quoted, post.reposted) if one in world.posts]
        authors = dict.fromkeys(post.author for post in posts)
        found: Json = {"users": [self.user(world.people[one]) for one in authors]} if with_people else {}
        if around:
            found["tweets"] = [self.post(post) for post in around]
        if files := [self.file(world.media[one]) for post in posts for one in post.media]:
            found["media"] = files
        return found

    def file(self, media: Media) -> Json:
        """A v2 media object."""
        ending = _ENDINGS.get(media.content_type, "bin")
        return {"media_key": f"3_{media.id}", "type": "photo", "url": f"{self.address}/media/{media.id}.{ending}"} | (
            {"alt_text": media.alt} if media.alt else {}
        )

    def message(self, message: Message) -> Json:
        """A v2 direct message event."""
        text, urls = self._shortened(message.text, message.media, message=message.id)
        shown: Json = {
            "id": message.id,
            "event_type": "MessageCreate",
            "text": text,
            "sender_id": message.sender,
            "dm_conversation_id": message.conversation,
            "created_at": iso(message.at),
        }
        if urls:
            shown["entities"] = {"urls": urls}
        if message.media:
            shown["attachments"] = {"media_keys": [f"3_{one}" for one in message.media]}
        return shown

    def message_includes(self, messages: Sequence[Message]) -> Json:
        """What is handed over beside direct messages."""
        people = dict.fromkeys(message.sender for message in messages)
        found: Json = {"users": [self.user(self._world.people[one]) for one in people]}
        if files := [
            {**self.file(self._world.media[one]), "url": self._private(message, one)} for message in messages for one in message.media
        ]:
            found["media"] = files
        return found

    def old_message(self, message: Message) -> Json:
        """A direct message as webhooks have it."""
        text, urls = self._shortened(message.text, message.media, message=message.id)
        data: Json = {"text": text, "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": urls}}
        if message.media:
            address = self._private(message, message.media[0])
            data["attachment"] = {
                "type": "media",
                "media": {"id": 1, "id_str": message.media[0], "media_url_https": address, "url": urls[-1]["url"], "type": "photo"},
            }
        made = {"target": {"recipient_id": message.recipient}, "sender_id": message.sender, "message_data": data}
        return {"type": "message_create", "id": message.id, "created_timestamp": str(int(message.at * 1000)), "message_create": made}

    def old_user(self, person: Person) -> Json:
        """A v1.1 user."""
        return {
            "id": int(person.id),
            "id_str": person.id,
            "name": person.name,
            "screen_name": person.handle,
            "verified": person.is_verified,
            "followers_count": person.followers,
            "created_at": "Mon Oct 23 13:44:53 +0000 2023",
        }

    def old_post(self, post: Post) -> Json:
        """A v1.1 post: ids as text and as rounded numbers, the long form apart, no conversation."""
        shown = self.post(post)
        world, parent = self._world, self._world.posts.get(post.parent)
        names = [
            {"screen_name": one["username"], "id": _rounded(one["id"]), "id_str": one["id"], "indices": [0, 1]}
            for one in shown.get("entities", {}).get("mentions", [])
        ]
        entities: Json = {"hashtags": [], "symbols": [], "urls": shown.get("entities", {}).get("urls", []), "user_mentions": names}
        full = shown.get("note_tweet", shown)["text"]
        made: Json = {
            "id": _rounded(post.id),
            "id_str": post.id,
            "text": shown["text"],
            "display_text_range": shown["display_text_range"],
            "truncated": full != shown["text"],
            "created_at": datetime.fromtimestamp(post.at, UTC).strftime("%a %b %d %H:%M:%S +0000 %Y"),
            "timestamp_ms": str(int(post.at * 1000)),
            "user": self.old_user(world.people[post.author]),
            "entities": entities,
            "lang": "en",
            "in_reply_to_status_id_str": post.parent or None,
            "in_reply_to_user_id_str": parent.author if parent is not None else None,
        }
        if made["truncated"]:
            made["extended_tweet"] = {"full_text": full, "display_text_range": [len(self.lead(post)), len(full)], "entities": entities}
        if post.quoted in world.posts:
            quoted = world.posts[post.quoted]
            made |= {"quoted_status_id_str": quoted.id, "quoted_status": self.old_post(quoted), "is_quote_status": True}
        if post.reposted in world.posts:
            made["retweeted_status"] = self.old_post(world.posts[post.reposted])
        return made

    def _private(self, message: Message, media: str) -> str:
        ending = _ENDINGS.get(self._world.media[media].content_type, "bin")
        return f"https://ton.twitter.com/1.1/ton/data/dm/{message.id}/{media}/file.{ending}"

    def _shortened(self, text: str, media: Sequence[str], *, message: str = "") -> tuple[str, list[Json]]:
        """The text with short links for its links and its files, and their list."""
        urls: list[Json] = []
        for number, link in enumerate(links(text)):
            short = f"https://t.co/{zlib.crc32(link.encode()):010}{number}"
            urls.append({"start": 0, "end": 23, "url": short, "expanded_url": link if "://" in link else f"http://{link}"})
            text = re.sub(re.escape(link) + r"(?![\w./-])", short, text)
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        for one in media:
            page = f"https://twitter.com/messages/media/{message}" if message else f"https://x.com/i/status/1/photo/{len(urls) + 1}"
            urls.append({"start": 0, "end": 23, "url": f"https://t.co/m{one[-9:]}", "expanded_url": page, "media_key": f"3_{one}"})
            text = f"{text} https://t.co/m{one[-9:]}".strip()
        return text, urls


def chosen(shown: Mapping[str, Any], fields: Iterable[str], *, always: Iterable[str]) -> Json:
    """Only what was asked for, and what always comes."""
    wanted = {*fields, *always}
    return {name: value for name, value in shown.items() if name in wanted}


def iso(at: float) -> str:
    """A time as v2 writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(at * 1000) % 1000:03}Z"


def _rounded(one: str) -> int:
    """What is left of an id that has been a JSON number in a browser."""
    return int(float(one))
