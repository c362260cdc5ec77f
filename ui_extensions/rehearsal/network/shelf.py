"""The practice network's posts and messages, found by id, thread, dialogue and reference. Its owner brings the lock."""

from __future__ import annotations

from collections.abc import Sequence

from ui_extensions.rehearsal.network.model import Kind, Post

Thread = Sequence[tuple[Post, int]]
"""A public post and everything below it, each answer after what it answers, with how deep it stands."""


class Shelf:
    """Posts as they are now."""

    def __init__(self) -> None:
        self._posts: dict[str, Post] = {}
        self._answers: dict[str, list[str]] = {}
        self._roots: list[str] = []
        self._dialogues: dict[str, list[str]] = {}
        self._by_ref: dict[tuple[str, Kind, str], list[str]] = {}

    def get(self, post_id: str) -> Post | None:
        """The post, deleted ones too."""
        return self._posts.get(post_id)

    def put(self, post: Post) -> None:
        """Take a new post, or one that changed."""
        is_new = post.post_id not in self._posts
        self._posts[post.post_id] = post
        if is_new:
            self._index(post)

    def find(self, author_id: str, kind: Kind, client_ref: str) -> Sequence[Post]:
        """Everything of an author with this reference, oldest first."""
        return [self._posts[post_id] for post_id in self._by_ref.get((author_id, kind, client_ref), ())]

    def said_by(self, author_id: str) -> Sequence[Post]:
        """Everything of an author, oldest first, deleted ones too."""
        return [post for post in self._posts.values() if post.author_id == author_id]

    def wall(self, limit: int) -> Sequence[Thread]:
        """The newest threads, newest first."""
        return [self._below(post_id) for post_id in reversed(self._roots[-limit:])]

    def thread(self, post_id: str) -> Sequence[Thread]:
        """The thread in which a public post stands; nothing if there is none."""
        post = self._posts.get(post_id)
        if post is None or post.kind is not Kind.POST:
            return []
        while post.reply_to:
            post = self._posts[post.reply_to]
        return [self._below(post.post_id)]

    def dialogue(self, customer_id: str, limit: int) -> Sequence[Post]:
        """The last messages with a customer, oldest first."""
        return [self._posts[post_id] for post_id in self._dialogues.get(customer_id, ())[-limit:]]

    def _below(self, root: str) -> Thread:
        lines, waiting = [], [(root, 0)]
        while waiting:
            post_id, depth = waiting.pop()
            lines.append((self._posts[post_id], depth))
            waiting.extend((answer, depth + 1) for answer in reversed(self._answers.get(post_id, ())))
        return lines

    def _index(self, post: Post) -> None:
        if post.client_ref:
            self._by_ref.setdefault((post.author_id, post.kind, post.client_ref), []).append(post.post_id)
        if post.kind is Kind.MESSAGE:
            self._dialogues.setdefault(post.customer_id, []).append(post.post_id)
        elif post.reply_to:
            self._answers.setdefault(post.reply_to, []).append(post.post_id)
        else:
            self._roots.append(post.post_id)
