"""What there is in the stand-in: posts, comments, reactions, pictures, and the notices of what happened. Knows no call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from plugin.testing.standins.linkedin.refusals import millis, refused
from plugin.testing.standins.serving import Json

PAGE, CUSTOMER, BYSTANDER = "urn:li:organization:2414183", "urn:li:person:lm4rSh", "urn:li:person:h3lpFl"
ADMIN = "urn:li:person:4dm1nA"
_PICTURE = b"\x89PNG\r\n\x1a\n-a-picture"


@dataclass(slots=True)
class Said:
    """A comment. `parent` is the comment's URN below which it stands, empty for the first level."""

    id: str
    post: str
    parent: str
    author: str
    text: str
    at: float
    changed: float
    attributes: list[Json] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    reactions: list[tuple[str, str, float]] = field(default_factory=list)

    @property
    def urn(self) -> str:
        """As LinkedIn names it."""
        return f"urn:li:comment:({self.post},{self.id})"


class World:
    """One page's LinkedIn. `posts` by activity and `comments` by URN, in the order in which they were said."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.posts: dict[str, Json] = {}
        self.comments: dict[str, Said] = {}
        self.notices: list[Json] = []
        self.pictures: dict[str, bytes] = {}
        self._minted = 7_094_637_247_000_000_000

    def post(self, text: str = "New trains from spring", *, author: str = PAGE) -> str:
        """Somebody posts; returns the activity, below which people comment."""
        activity, share = f"urn:li:activity:{self._mint()}", f"urn:li:share:{self._mint()}"
        at = self.now()
        self.posts[activity] = {"id": share, "author": author, "commentary": text, "at": at, "changed": at, "state": "OPEN"}
        return activity

    def say(self, author: str, text: str, *, post: str = "", below: str = "", pictures: int = 0, attributes: Sequence[Json] = ()) -> str:
        """Somebody comments on a post (the last one), or below a comment; returns the comment's URN."""
        top = self.comments[below].parent or below if below else ""
        where = self.comments[top].post if top else post or next(reversed(self.posts), "") or self.post()
        said = Said(str(self._mint()), where, top, author, text, self.now(), self.now(), list(attributes))
        for _ in range(pictures):
            said.pictures.append(self.picture(_PICTURE))
        self.comments[said.urn] = said
        self.posts[where]["changed"] = self.now()
        shown = {"entity": said.urn, "owner": author, "text": text, "object": where}
        self._notice("ADMIN_COMMENT" if author == PAGE else "COMMENT", said, {"comment": shown})
        return said.urn

    def mention(self, author: str, text: str) -> str:
        """Somebody mentions the page in a post of theirs; returns its URN as the notice has it."""
        activity = self.post(text, author=author)
        share = self.posts[activity]["id"]
        shown = {"share": {"entity": share, "owner": author, "text": text}}
        self._tell({"action": "SHARE_MENTION", "generatedActivity": activity, "decoratedGeneratedActivity": shown})
        return str(share)

    def change(self, urn: str, text: str, *, tells_words: bool = True) -> None:
        """The author edits."""
        said = self.comments[urn]
        said.text, said.changed = text, self.now()
        self._notice("COMMENT_EDIT", said, {"comment": {"entity": urn, "owner": said.author, "text": text}} if tells_words else None)

    def remove(self, urn: str, *, tells: bool = True) -> None:
        """The author deletes a comment, and with it what stands below."""
        said = self.comments[urn]
        if tells:
            self._notice("COMMENT_DELETE", said, None)
        self.comments = {key: one for key, one in self.comments.items() if urn not in (key, one.parent)}

    def react(self, who: str, urn: str, kind: str = "LIKE") -> None:
        """Somebody reacts to a comment."""
        self.comments[urn].reactions.append((who, kind, self.now()))

    def picture(self, content: bytes) -> str:
        """A picture that was uploaded; returns its URN."""
        urn = f"urn:li:image:C5{self._mint()}"
        self.pictures[urn] = content
        return urn

    def activity(self, urn: str) -> str:
        """A post by either of its names."""
        return next((activity for activity, one in self.posts.items() if urn in (activity, one["id"])), urn)

    def readable(self, urn: str) -> str:
        """A post of the page, by either of its names."""
        activity = self.activity(urn)
        if activity not in self.posts:
            raise refused(404, "NOT_FOUND", f"{urn} was not found")
        if self.posts[activity]["author"] != PAGE:
            raise refused(403, "UNAUTHORIZED", f"member is unauthorized on {urn}")
        return activity

    def found(self, activity: str, number: str) -> Said:
        """A comment by its number."""
        said = self.comments.get(f"urn:li:comment:({activity},{number})")
        if said is None:
            raise refused(404, "NOT_FOUND", f"Comment {number} was not found")
        return said

    def shown(self, said: Said) -> Json:
        """A comment as the API shows it."""
        below = sum(one.parent == said.urn for one in self.comments.values())
        pictures = [
            {"type": "IMAGE", "entity": {"image": one}, "url": f"https://media.licdn.com/dms/image/{one[13:]}?e=1&v=beta&t=signed"}
            for one in said.pictures
        ]
        return {
            "id": said.id,
            "commentUrn": said.urn,
            "object": said.post,
            "actor": said.author,
            "message": {"text": said.text, "attributes": said.attributes},
            "created": {"actor": said.author, "time": millis(said.at)},
            "lastModified": {"actor": said.author, "time": millis(said.changed)},
            "likesSummary": {"totalLikes": len(said.reactions), "aggregatedTotalLikes": len(said.reactions)},
            "commentsSummary": {"totalFirstLevelComments": below, "aggregatedTotalComments": below},
            **({"content": pictures} if pictures else {}),
            **({"parentComment": said.parent} if said.parent else {}),
        }

    def summary(self, urn: str) -> Json | None:
        """How much there is below a post or comment; None for what is not shown to us."""
        if urn in self.comments:
            below = [one for one in self.comments.values() if one.parent == urn]
            kinds = [kind for _, kind, _ in self.comments[urn].reactions]
        else:
            activity = self.activity(urn)
            if self.posts.get(activity, {}).get("author") != PAGE:
                return None
            below, kinds = [one for one in self.comments.values() if one.post == activity], []
        summaries = {kind: {"reactionType": kind, "count": kinds.count(kind)} for kind in set(kinds)}
        state = "OPEN" if urn in self.comments else self.posts[self.activity(urn)]["state"]
        counts = {"count": len(below), "topLevelCount": sum(not one.parent for one in below)}
        return {"entity": urn, "commentsState": state, "commentSummary": counts, "reactionSummaries": summaries}

    def _mint(self) -> int:
        self._minted += 1
        return self._minted

    def _notice(self, action: str, said: Said, shown: Json | None) -> None:
        short = f"urn:li:comment:({said.post.removeprefix('urn:li:')},{said.id})"
        decorated = {} if shown is None else {"decoratedGeneratedActivity": shown}
        self._tell({"action": action, "sourcePost": said.post, "generatedActivity": short, **decorated})

    def _tell(self, told: Json) -> None:
        number = -(self._mint() % 10**9)
        told |= {"notificationId": number, "organizationalEntity": PAGE, "lastModifiedAt": millis(self.now()), "subscriber": ADMIN}
        self.notices.append(told)
