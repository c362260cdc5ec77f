"""The API's side of posts: create, delete, hide, look up, list and search, each as strict as X.

Sources: X documentation, "Manage Posts", "Hide replies", "Posts lookup", "Timelines", "Search Posts"; API reference 2.167.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from plugin.testing.standins.x.measures import weight
from plugin.testing.standins.x.reading import PAGES, POSTS, check_query, checked, is_id
from plugin.testing.standins.x.refusals import Refused, forbidden, invalid, missing, not_found, not_shown, wrong_parameter
from plugin.testing.standins.x.shapes import Json, Shapes, chosen
from plugin.testing.standins.x.world import Post, World

_BODY = {
    "text": str,
    "reply": {"in_reply_to_tweet_id!": "id", "exclude_reply_user_ids": ["id"], "auto_populate_reply_metadata": bool},
    "media": {"media_ids!": ["id"], "tagged_user_ids": ["id"]},
    "quote_tweet_id": "id",
    "reply_settings": str,
    "made_with_ai": bool,
    "nullcast": bool,
}
_ALWAYS = ("id", "text", "edit_history_tweet_ids")
_BESIDE = {"author_id": "users", "attachments.media_keys": "media", "referenced_tweets.id": "tweets", "referenced_posts": "tweets"}
_IN_POST_SPELLING = {"author_id", "in_reply_to_user_id", "referenced_tweets", "in_reply_to_tweet_id"}
_NOT_SUMMONED = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author of the post you are "
    "replying to."
)
_SEVEN_DAYS = 7 * 86400.0
_MOST_MENTIONS = 800


class Posts:
    """Posts of one world. `longest` is 280 unless the account pays; `is_summoning` whether the rule for self-serve plans holds."""

    def __init__(self, world: World, shapes: Shapes) -> None:
        self._world = world
        self._shapes = shapes
        self.longest = 280
        self.is_summoning = True

    def create(self, account: str, body: Any) -> Json:
        """Post something."""
        given = checked(body, _BODY)
        text, media = given.get("text", ""), given.get("media", {}).get("media_ids", [])
        if not text.strip() and not media:
            raise invalid("You must provide text or media.")
        if weight(text) > self.longest:
            raise invalid("Your Tweet text is too long. For more information on how Twitter determines text length see twitter-text.")
        parent = self._parent(account, given.get("reply", {}).get("in_reply_to_tweet_id", ""))
        self._check_media(account, media)
        twin = (one for one in self._world.posts.values() if one.author == account and one.text == text and text)
        if any(one.parent == (parent.id if parent else "") for one in twin):
            raise forbidden("You are not allowed to create a Tweet with duplicate content.")
        post = self._world.person_posts(
            account, text, reply_to=parent.id if parent else "", quote=given.get("quote_tweet_id", ""), media=media
        )
        return {
            "data": self._shapes.spelt({"id": post.id, "text": self._shapes.post(post)["text"], "edit_history_tweet_ids": post.history})
        }

    def delete(self, account: str, one: str) -> Json:
        """Delete a post of one's own; one that is gone already is no mistake."""
        post = self._world.posts.get(one)
        if post is not None and post.author != account:
            raise forbidden("You are not authorized to delete this Tweet.")
        if post is not None:
            self._world.person_deletes(one)
        return {"data": {"deleted": post is not None}}

    def hide(self, account: str, one: str, body: Any) -> Json:
        """Hide an answer in a conversation that the account began."""
        given = checked(body, {"hidden!": bool})
        post = self._world.posts.get(one)
        if post is None:
            raise missing("tweet", one)
        root = self._world.posts.get(post.conversation)
        if not post.parent or root is None or root.author != account:
            raise forbidden("You are not permitted to hide this reply.")
        post.is_hidden = given["hidden"]
        return {"data": {"hidden": post.is_hidden}}

    def look_up(self, account: str, query: Mapping[str, str]) -> Json:
        """Up to a hundred posts by id; what is missing stands under `errors`."""
        check_query(query, POSTS | {"ids"})
        ids = query.get("ids", "").split(",")
        if not 1 <= len(ids) <= 100 or not all(map(is_id, ids)):
            raise invalid("The number of values in the `ids` query parameter list is not between 1 and 100")
        found, errors = [], []
        for one in ids:
            post = self._world.posts.get(one)
            if post is None:
                errors.append(not_found(one))
            elif self._world.people[post.author].is_protected and post.author != account:
                errors.append(not_shown(one))
            else:
                found.append(post)
        told = self._told(found, query)
        return told | ({"errors": errors} if errors else {})

    def mentions(self, one: str, query: Mapping[str, str]) -> Json:
        """Posts that name somebody, the newest first: also where X itself puts the name, below an answer."""
        check_query(query, POSTS | PAGES - {"next_token"}, fewest=5)
        named = [post for post in self._latest() if post.author != one and one in {*self._world.named(post.text), *post.addressed}]
        return self._page(named[:_MOST_MENTIONS], query)

    def timeline(self, one: str, query: Mapping[str, str]) -> Json:
        """What somebody posted, the newest first."""
        check_query(query, (POSTS | PAGES | {"exclude"}) - {"next_token"}, fewest=5)
        left = set(query.get("exclude", "").split(",")) - {""}
        if not left <= {"replies", "retweets"}:
            raise invalid("The `exclude` query parameter value is not one of [replies,retweets]")
        own = [post for post in self._latest() if post.author == one]
        own = [post for post in own if not (post.reposted and "retweets" in left) and not (post.parent and "replies" in left)]
        return self._page(own, query)

    def search(self, query: Mapping[str, str]) -> Json:
        """Posts of the last seven days with all the words of a query."""
        check_query(query, POSTS | PAGES | {"query", "sort_order"}, fewest=10)
        asked = query.get("query", "")
        if not 1 <= len(asked) <= 4096 or asked.count("(") != asked.count(")") or asked.count('"') % 2:
            raise invalid("There were errors processing your request: missing EOF at ')' (at position 1)")
        for name in ("since_id", "until_id"):
            known = self._world.posts.get(query.get(name, ""))
            if known is not None and known.at < self._world.now() - _SEVEN_DAYS:
                raise wrong_parameter(
                    name, known.id, f"'{name}' must be a tweet id created after [7 days ago]. Please use a '{name}' that is larger."
                )
        words = [word for word in asked.replace("(", " ").replace(")", " ").split() if not word.startswith("-is:")]
        recent = [post for post in self._latest() if post.at >= self._world.now() - _SEVEN_DAYS and not post.reposted]
        return self._page([post for post in recent if all(word.strip('"').lower() in post.text.lower() for word in words)], query)

    def _parent(self, account: str, one: str) -> Post | None:
        if not one:
            return None
        post = self._world.posts.get(one)
        if post is None:
            raise forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
        if account in self._world.people[post.author].has_blocked:
            raise forbidden("You have been blocked from the author of this tweet.")
        if self.is_summoning and not self._world.may_answer(account, post):
            raise forbidden(_NOT_SUMMONED)
        return post

    def _check_media(self, account: str, media: Sequence[str]) -> None:
        files = [self._world.media.get(one) for one in media]
        kinds = {file.category for file in files if file is not None}
        usable = all(file is not None and file.owner == account and file.is_final and file.category.startswith("tweet_") for file in files)
        if not usable:
            raise invalid("Your media IDs are invalid.")
        if len(files) > 4 or (len(files) > 1 and kinds != {"tweet_image"}):
            raise invalid("A post holds up to four pictures, or one animation or film.")

    def _latest(self) -> list[Post]:
        """Every post in its latest wording, the newest first."""
        latest = [post for post in self._world.posts.values() if post.history[-1] == post.id]
        return sorted(latest, key=lambda post: int(post.id), reverse=True)

    def _page(self, posts: Sequence[Post], query: Mapping[str, str]) -> Json:
        wanted = [post for post in posts if _is_between(post, query)]
        token = query.get("pagination_token") or query.get("next_token") or "p0"
        if not token.startswith("p") or not token[1:].isdecimal():
            raise invalid("The `pagination_token` query parameter value is not valid")
        at, size = int(token[1:]), int(query.get("max_results", "10"))
        page = wanted[at : at + size]
        meta: Json = {"result_count": len(page)}
        if page:
            meta |= {"newest_id": page[0].id, "oldest_id": page[-1].id}
        if at + size < len(wanted):
            meta["next_token"] = f"p{at + size}"
        return self._told(page, query) | {"meta": meta}

    def _told(self, posts: Sequence[Post], query: Mapping[str, str]) -> Json:
        """Posts with what was asked for, spelt as it was asked for."""
        spelling = "post" if "post.fields" in query else self._shapes.spelling
        fields = set((query.get("tweet.fields") or query.get("post.fields") or "").split(","))
        fields = {name.replace("note_post", "note_tweet") for name in fields}
        expansions = set(query.get("expansions", "").split(",")) - {""}
        if "post.fields" in query:
            fields |= _IN_POST_SPELLING
        shown = [chosen(self._shapes.post(post), fields, always=_ALWAYS) for post in posts]
        beside = {_BESIDE[name] for name in expansions if name in _BESIDE}
        includes = {name: value for name, value in self._shapes.includes(posts).items() if name in beside and value}
        told: Json = ({"data": shown} if shown else {}) | ({"includes": includes} if shown and includes else {})
        return self._shapes.spelt(told, spelling)  # type: ignore[no-any-return]


def _is_between(post: Post, query: Mapping[str, str]) -> bool:
    start, end = query.get("start_time"), query.get("end_time")
    return (
        int(post.id) > int(query.get("since_id", "0"))
        and int(post.id) < int(query.get("until_id", "9" * 19))
        and (start is None or post.at >= datetime.fromisoformat(start).timestamp())
        and (end is None or post.at < datetime.fromisoformat(end).timestamp())
    )


def check_credit(credit: float | None) -> None:
    """Refuse a call for which there is no credit.

    Raises:
        Refused: 402.
    """
    if credit is not None and credit <= 0:
        raise Refused(
            402, "CreditsDepleted", "Your enrolled account does not have any credits to fulfill this request.", kind="credits-depleted"
        )
