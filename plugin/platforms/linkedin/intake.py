"""One poll: comments and answers below the page's posts, mentions, edits and deletions that were noticed, reactions; and second looks.

LinkedIn cannot be asked for new comments. One call tells how many there are below each of the watched posts; where the number changed, the
comments are read, and of a thread whose number of answers changed, the answers. What was said since that post was last read is told, with an
overlap that the keys absorb, since numbers and lists may lag behind. What the page itself said is known by its author.
Sources: LinkedIn Marketing API, "Posts API" (find by author), "Social Metadata API", "Comments API", "Organization Social Action Notifications".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.contracts.platform import Polled, Skipped
from plugin.contracts.reading import read_object, read_string
from plugin.domain.errors import CrossdeskError, MalformedPayload, RemoteRejected, TargetGone, UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent, ReactionChanged
from plugin.domain.ids import MessageRef
from plugin.platforms._oauth.values import read_count
from plugin.platforms.linkedin import comments, notices
from plugin.platforms.linkedin.client import PAGE, PAGES, Client, batches, entity, results
from plugin.platforms.linkedin.comments import Comment
from plugin.platforms.linkedin.urns import CommentUrn, comment_number, comment_urn, encoded, listed, post_urn

AT_ONCE = 20
"""Comments that one second look takes."""
_ASKED_AT_ONCE = 50
_LOOK_BACK = timedelta(minutes=15)
_OVERLAP = timedelta(minutes=30)
_POSTS, _THREADS, _OURS = 100, 300, 30
_UNKNOWN = -1
"""The number of comments of a post that is to be read whatever its number."""
_ROOM = 6
"""Calls that must be left of the day for a poll to begin."""


class Intake:
    """Polls of one page at one moment. `turn` rotates which post is read although its number of comments stood still."""

    def __init__(self, client: Client, *, now: datetime, turn: int) -> None:
        self._client = client
        self._turn = turn
        self._page = client.settings.organization
        self._now = now
        self._floor = now
        self._is_first = False
        self._events: dict[str, MessageReceived | MessageEdited | MessageDeleted | ReactionChanged] = {}
        self._skipped: list[Skipped] = []
        self._posts: dict[str, tuple[int, int]] = {}
        """Of each post that was read: how many comments there were, and when (milliseconds)."""
        self._threads: dict[str, int] = {}
        self._ours: dict[str, int] = {}

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """What happened since `position`; nothing while the day's calls for looking are used up."""
        if not self._client.budget.has_room(_ROOM):
            return Polled(events=(), position=None)
        given = position or {}
        since = comments.read_millis(given.get("since"))
        self._is_first, self._floor = since is None, since or self._now - _LOOK_BACK
        self._posts, self._threads, self._ours = _pairs(given.get("posts")), _counts(given.get("threads")), _counts(given.get("ours"))
        posts = self._watched_posts()
        told = self._told_of(posts)
        at_rest = posts[self._turn % len(posts)] if posts and not self._is_first else ""
        self._take_reactions()
        for post in posts:
            self._take_post(post, told.get(post, {}), is_due=post == at_rest)
        self._take_notices()
        following = {
            "since": _millis(max(self._floor, self._now - _OVERLAP)),
            "posts": dict(sorted(((post, list(pair)) for post, pair in self._posts.items()), key=lambda item: item[1][1])[-_POSTS:]),
            "threads": dict(sorted(self._threads.items(), key=lambda pair: int(pair[0]))[-_THREADS:]),
            "ours": dict(list(self._ours.items())[-_OURS:]),
        }
        events = sorted(self._events.values(), key=lambda event: event.occurred_at or self._now)
        return Polled(events=tuple(events), position=following, skipped=tuple(self._skipped))

    def recheck(self, message_refs: Sequence[MessageRef]) -> Sequence[PlatformEvent]:
        """Edits and deletions among comments; posts of others are not shown to us."""
        wanted = {urn for ref in message_refs if (urn := comment_urn(ref.partition("#")[0])) is not None}
        told: list[PlatformEvent] = []
        if not self._client.budget.has_room(len(wanted) + 1):
            return told
        for post in sorted({urn.post for urn in wanted}):
            asked = sorted(urn.id for urn in wanted if urn.post == post)
            for number, raw in self._looked_up(post, asked).items():
                if raw is None:
                    gone = CommentUrn(post, number)
                    told += [comments.deleted(gone, ref=ref) for ref in message_refs if comment_urn(ref.partition("#")[0]) == gone]
                    continue
                try:
                    comment = comments.read_comment(raw)
                except MalformedPayload:
                    continue  # surely there
                if comment.changed is not None:
                    told.append(comments.edited(comment.urn, comment.text, comment.changed, is_own=comment.author == self._page))
        return told

    def _looked_up(self, post: str, numbers: Sequence[str]) -> Mapping[str, Mapping[str, Any] | None]:
        """Comments by their number, None for what is surely gone: what one call for several leaves out is asked for alone."""
        found: dict[str, Mapping[str, Any] | None] = {}
        try:
            body = self._client.read(f"{entity(post, 'comments')}?ids={listed(numbers)}")
            shown = {comment_number(read_string(raw.get("id")) or key): raw for key, raw in results(body).items()}
        except (TargetGone, RemoteRejected):
            shown = {}
        for number in numbers:
            try:
                found[number] = shown.get(number) or self._client.read(entity(post, "comments", number))
            except TargetGone:
                found[number] = None
            except RemoteRejected:
                continue  # neither shown nor said to be gone
        return found

    def _watched_posts(self) -> Sequence[str]:
        """The page's own posts, those with the last change first."""
        asked = f"posts?q=author&author={encoded(self._page)}&sortBy=LAST_MODIFIED"
        found = [post_urn(raw.get("id")) for raw in self._client.walk(asked, about_page=True, pages=1) if raw is not None]
        return [post for post in found if post][: self._client.settings.posts]

    def _told_of(self, urns: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """How much there is below each, and whether more may be said."""
        told: dict[str, Mapping[str, Any]] = {}
        for some in batches(urns, _ASKED_AT_ONCE):
            told |= results(self._client.read(f"socialMetadata?ids={listed(some)}"))
        return told

    def _take_post(self, post: str, told: Mapping[str, Any], *, is_due: bool) -> None:
        """Read the comments below a post if their number changed or is not told, while the day has room for it."""
        count = read_count(read_object(told.get("commentSummary")).get("count"))
        known, read_at = self._posts.get(post, (None, None))
        if count is not None and count in (known, 0) and not (is_due and count):
            return
        if not self._has_room():
            # It is read another day, from where it stood.
            self._posts.setdefault(post, (_UNKNOWN, _millis(self._floor)))
            return
        before = self._floor
        self._floor = before if read_at is None else _moment(read_at) - _OVERLAP
        is_open = told.get("commentsState") != "CLOSED"
        try:
            for comment in self._comments(post):
                self._tell(comment, None, is_open=is_open)
                self._take_thread(comment, is_open=is_open, is_due=is_due)
        except TargetGone:
            return  # the post went meanwhile
        finally:
            self._floor = before
        if self._has_room():
            self._posts[post] = (_UNKNOWN if count is None else count, _millis(self._now))

    def _has_room(self) -> bool:
        return self._client.budget.has_room(2)

    def _take_thread(self, top: Comment, *, is_open: bool, is_due: bool) -> None:
        """Read the answers below a comment if their number changed, or is not told although something changed."""
        known, is_new = self._threads.get(top.urn.id), top.at is None or top.at >= self._floor
        if top.replies is not None and self._is_first:
            self._threads[top.urn.id] = top.replies
        is_quiet = not is_new and (self._is_first or (is_due and top.replies is None))
        if top.replies == 0 or (top.replies is not None and top.replies == known) or is_quiet or not self._has_room():
            return
        if top.replies is not None:
            self._threads[top.urn.id] = top.replies
        for reply in self._comments(str(top.urn)):
            self._tell(reply, top, is_open=is_open)

    def _comments(self, below: str) -> Sequence[Comment]:
        found = []
        for raw in self._client.walk(entity(below, "comments")):
            if raw is None:
                gap = UnsupportedEvent(
                    f"There are more than {PAGE * PAGES} comments in one place: the others were not taken in.", detail="gap"
                )
                self._leave(f"gap:{below}:{_millis(self._floor)}", gap)
                break
            try:
                found.append(comments.read_comment(raw))
            except MalformedPayload as problem:
                self._leave(f"skipped:{read_string(raw.get('id'))[:40] or below}", problem, raw)
        return found

    def _tell(self, comment: Comment, top: Comment | None, *, is_open: bool) -> None:
        """A comment that is new, or was changed, since the last poll. Our own is said to whom it names, else to whom it answers."""
        is_own = comment.author == self._page
        if comment.changed is not None and comment.changed >= self._floor and (comment.at is None or comment.at < self._floor):
            self._keep(comments.edited(comment.urn, comment.text, comment.changed, is_own=is_own))
        if comment.at is None or comment.at < self._floor:
            return
        customer = comment.first_named or (top.author if top is not None else "")
        if is_own and (not customer or customer == self._page):
            says = "A comment of the page itself that answers nobody; it belongs to no ticket."
            self._leave(f"own:{comment.urn.id}", UnsupportedEvent(says, detail="own"))
            return
        if is_own:
            self._ours.setdefault(str(comment.urn), 0)
        for event in comments.received(comment, customer=customer, organization=self._page, is_open=is_open):
            self._keep(event)

    def _take_reactions(self) -> None:
        """Who reacted to the newest of our own comments, where their number rose. Without it where LinkedIn does not tell."""
        try:
            told = self._told_of([one for one in self._ours if comment_urn(one) is not None])
        except RemoteRejected as problem:
            says = f"LinkedIn does not tell of reactions to comments: {problem}"
            self._leave(f"reactions:{self._now.date()}", UnsupportedEvent(says, detail="reactions"))
            return
        for one, known in list(self._ours.items()):
            summaries = read_object(read_object(told.get(one)).get("reactionSummaries"))
            count = sum(read_count(read_object(summary).get("count")) or 0 for summary in summaries.values())
            self._ours[one] = count
            urn = comment_urn(one)
            if count <= known or urn is None:
                continue
            try:
                asked = f"reactions/(entity:{encoded(one)})?q=entity&sort=(value:REVERSE_CHRONOLOGICAL)"
                for raw in self._client.walk(asked, pages=1):
                    if raw is not None:
                        self._react(raw, one)
            except RemoteRejected as problem:
                says = f"LinkedIn does not tell who reacted: {problem}"
                self._leave(f"reactions:{urn.id}:{count}", UnsupportedEvent(says, detail="reactions"))

    def _react(self, raw: Mapping[str, Any], one: str) -> None:
        urn = comment_urn(one)
        try:
            event = comments.reacted(raw, urn) if urn is not None else None
        except MalformedPayload as problem:
            self._leave(f"skipped:reaction:{read_string(raw.get('id'))[:80] or one}", problem, raw)
            return
        if event is not None and event.author.ref != self._page:
            self._keep(event)

    def _take_notices(self) -> None:
        """Mentions, and what of edits and deletions LinkedIn keeps notice of (for 60 days)."""
        span = f"(start:{_millis(self._floor)},end:{_millis(self._now + _OVERLAP)})"
        asked = (
            f"organizationalEntityNotifications?q=criteria&actions=List({','.join(notices.ASKED)})"
            f"&organizationalEntity={encoded(self._page)}&timeRange={span}"
        )
        for raw in self._client.walk(asked, about_page=True):
            if raw is None:
                gap = UnsupportedEvent(
                    f"There were more than {PAGE * PAGES} notices since the last look: older ones were not taken in.", detail="gap"
                )
                self._leave(f"gap:notices:{_millis(self._floor)}", gap)
                return
            try:
                event: Any = notices.read_notice(raw, self._page)
            except (MalformedPayload, UnsupportedEvent) as problem:
                if not self._take_wordless(raw, problem):
                    self._leave(f"notice:{notices.notice_key(raw)}", problem, raw)
                continue
            self._events.setdefault(event.event_key, event)

    def _take_wordless(self, raw: Mapping[str, Any], problem: CrossdeskError) -> bool:
        """A notice of an edit that does not bring the words: they are read where the comment stands."""
        urn = notices.named(raw) if problem.detail == notices.WORDLESS else None
        shown = None if urn is None else self._looked_up(urn.post, [urn.id]).get(urn.id)
        if shown is None:
            return False
        try:
            comment = comments.read_comment(shown)
        except MalformedPayload:
            return False
        if comment.changed is not None:
            self._keep(comments.edited(comment.urn, comment.text, comment.changed, is_own=comment.author == self._page))
        return True

    def _keep(self, event: MessageReceived | MessageEdited | MessageDeleted | ReactionChanged) -> None:
        self._events[event.event_key] = event

    def _leave(self, key: str, reason: CrossdeskError, raw: Mapping[str, Any] | None = None) -> None:
        self._skipped.append(Skipped(event_key=key, reason=reason, payload=None if raw is None else dict(raw)))


def _counts(kept: Any) -> dict[str, int]:
    return {str(one): count for one, given in (kept if isinstance(kept, dict) else {}).items() if (count := read_count(given)) is not None}


def _pairs(kept: Any) -> dict[str, tuple[int, int]]:
    found = {}
    for one, given in (kept if isinstance(kept, dict) else {}).items():
        count, at = given if isinstance(given, list) and len(given) == 2 else (None, None)
        if comments.read_millis(at) is not None:
            found[str(one)] = (_UNKNOWN if (known := read_count(count)) is None else known, int(at or 0))
    return found


def _moment(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)


def _millis(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp() * 1000)
