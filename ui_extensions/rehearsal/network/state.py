"""What the practice network knows: accounts, posts, messages, files, and the events that tell the company of them.

Thread-safe; every call costs the same however much there is, but for those that list (as long as their list). Knows nothing of HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from plugin.domain.codec import decode, encode
from ui_extensions.rehearsal.network import model, wire
from ui_extensions.rehearsal.network.accounts import CUSTOMERS, Accounts
from ui_extensions.rehearsal.network.events import EventLog
from ui_extensions.rehearsal.network.files import Files, may_read
from ui_extensions.rehearsal.network.ids import Ids
from ui_extensions.rehearsal.network.journal import Journal
from ui_extensions.rehearsal.network.model import Change, Event, Kind, Media, Post, Refused, User
from ui_extensions.rehearsal.network.shelf import Shelf, Thread


class Network:
    """The whole network. `base_url` is where its pages are, for the links in events."""

    def __init__(self, *, company_token: str, base_url: str = "", journal: Journal | None = None) -> None:
        self._lock = threading.RLock()
        self._journal = journal
        self._listeners: list[Callable[[Event], None]] = []
        self._base_url = base_url.rstrip("/")
        self._ids, self._log = Ids(), EventLog()
        self._accounts, self._files = Accounts(company_token), Files(journal)
        self._shelf = Shelf()
        self.version = 0
        """Rises with every change that a page shows."""
        self.webhook: tuple[str, str] = ("", "")
        """Where events are told, and the secret that signs them."""
        if journal is not None:
            self._resume(journal)
        known = {customer.handle for customer in self.customers()}
        for handle, name in CUSTOMERS:
            if handle not in known:
                self.add_customer(handle, name)

    @property
    def company(self) -> User:
        """The company's own account."""
        return self._accounts.company

    # -- accounts

    def add_customer(self, handle: str, name: str) -> User:
        """A new customer.

        Raises:
            Refused: the handle is taken or not one.
        """
        with self._lock:
            user = self._accounts.fresh(handle, name)
            self._write({"user": encode(user)})
            self._accounts.keep(user)
            self.version += 1
            return user

    def customers(self) -> Sequence[User]:
        """Every customer, first come first."""
        with self._lock:
            return self._accounts.customers()

    def user(self, user_id: str) -> User:
        """An account by id.

        Raises:
            Refused: nobody.
        """
        return self._accounts.user(user_id)

    def user_of_token(self, token: str) -> User | None:
        """Whose token this is."""
        return self._accounts.of_token(token)

    # -- posts and messages

    def publish(
        self,
        author: User,
        text: str,
        *,
        kind: Kind = Kind.POST,
        to: str = "",
        reply_to: str = "",
        media: Sequence[str] = (),
        client_ref: str = "",
        choices: Sequence[str] = (),
    ) -> Post:
        """Say something. `to` is the other side of a message; a customer's messages go to the company.

        Raises:
            Refused: anything that the network does not carry.
        """
        model.checked_text(text, may_be_empty=bool(media))
        offered = model.checked_choices(choices, author)
        with self._lock:
            parent = self.post(reply_to, kind=kind, reader=author) if reply_to else None
            post_id = self._ids.new("p" if kind is Kind.POST else "m")
            place = self._wall_place(author, post_id, parent) if kind is Kind.POST else self._dialogue_place(author, to, parent)
            self._files.check(author, media)
            post = Post(
                post_id=post_id,
                kind=kind,
                author_id=author.user_id,
                text=text,
                conversation=place[0],
                customer_id=place[1],
                created_at=datetime.now(UTC),
                reply_to=reply_to,
                media=tuple(media),
                client_ref=client_ref,
                choices=offered,
            )
            return self._commit(post, Change.CREATED)

    def edit(self, author: User, post_id: str, *, kind: Kind, text: str, media: Sequence[str] | None = None) -> Post:
        """Make an own post say something else; the same again changes nothing. `media` None leaves the files alone.

        Raises:
            Refused: not there, not theirs, gone, or not carried.
        """
        with self._lock:
            post = self._own(author, post_id, kind)
            files = post.media if media is None else tuple(media)
            model.checked_text(text, may_be_empty=bool(files))
            self._files.check(author, files, already=post.media)
            if (post.text, post.media) == (text, files):
                return post
            changed = replace(post, text=text, media=files, revision=post.revision + 1, edited_at=datetime.now(UTC))
            return self._commit(changed, Change.EDITED)

    def delete(self, author: User, post_id: str, *, kind: Kind) -> Post:
        """Take an own post back. Its words and files are gone; its place in the thread stays.

        Raises:
            Refused: not there, not theirs, already gone.
        """
        with self._lock:
            post = self._own(author, post_id, kind)
            return self._commit(replace(post, text="", media=(), choices=(), deleted_at=datetime.now(UTC)), Change.DELETED)

    def post(self, post_id: str, *, kind: Kind, reader: User | None = None) -> Post:
        """A post that is still there, or a message that the reader may read (None: the page, which may read all).

        Raises:
            Refused: it is not, or not for them.
        """
        post = self._shelf.get(post_id)
        if post is None or post.kind is not kind or (reader is not None and not may_read(reader, post)):
            raise Refused(404, f"{kind}_unknown", f"There is no {kind} {post_id[:64]!r}.")
        if post.deleted_at is not None:
            raise Refused(410, f"{kind}_deleted", f"The {kind} was deleted.")
        return post

    def find(self, author: User, client_ref: str, *, kind: Kind) -> Sequence[Post]:
        """Everything of `author` that carries `client_ref`, oldest first, deleted ones too."""
        with self._lock:
            return self._shelf.find(author.user_id, kind, client_ref)

    def said_by(self, author: User) -> Sequence[Post]:
        """Everything of `author`, oldest first, deleted ones too."""
        with self._lock:
            return self._shelf.said_by(author.user_id)

    def wall(self, limit: int = 40) -> Sequence[Thread]:
        """The newest public threads, newest first."""
        with self._lock:
            return self._shelf.wall(limit)

    def thread(self, post_id: str) -> Sequence[Thread]:
        """The public thread in which a post stands; nothing if there is none."""
        with self._lock:
            return self._shelf.thread(post_id)

    def dialogue(self, customer: User, limit: int = 100) -> Sequence[Post]:
        """The last messages between the company and a customer, oldest first."""
        with self._lock:
            return self._shelf.dialogue(customer.user_id, limit)

    def wire(self, post: Post) -> dict[str, Any]:
        """A post as the API writes it."""
        with self._lock:
            return wire.post(post, self.user(post.author_id), self._files.of(post), base_url=self._base_url)

    # -- files

    def upload(self, owner: User, filename: str, content_type: str, content: bytes, *, description: str = "") -> Media:
        """Keep a file, to be attached to a post.

        Raises:
            Refused: empty or too big.
        """
        if not content:
            raise Refused(422, "file_empty", "The file is empty.")
        if len(content) > model.FILE_BYTES:
            raise Refused(413, "file_too_big", f"A file has at most {model.FILE_BYTES // 1024 // 1024} MB.")
        media = Media(
            media_id=self._ids.new("f"),
            owner_id=owner.user_id,
            filename=model.tidy_filename(filename),
            content_type=model.tidy_content_type(content_type),
            size=len(content),
            description=model.checked_text(description, may_be_empty=True),
        )
        with self._lock:
            self._files.keep(media, content)
            self._write({"media": encode(media)})
        return media

    def media(self, media_id: str, *, reader: User | None = None) -> tuple[Media, bytes]:
        """An uploaded file that is the reader's or on something they may read (None: the page, which may read all).

        Raises:
            Refused: there is none for them.
        """
        with self._lock:
            media = self._files.readable(media_id, reader)
            return media, self._files.content(media)

    def files(self, post: Post) -> Sequence[Media]:
        """The files on a post."""
        with self._lock:
            return self._files.of(post)

    # -- events

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Tell `listener` of each event, in order, those first that nobody took yet. It is called under the lock: it must be quick."""
        with self._lock:
            for event in self._log.untold():
                listener(event)
            self._listeners.append(listener)

    def events_after(self, cursor: str | None, limit: int) -> tuple[Sequence[Event], str, bool]:
        """Events after `cursor` (None: the newest `limit`), the next cursor, and whether there are more.

        Raises:
            Refused: the cursor is not of this network.
        """
        with self._lock:
            return self._log.after(cursor, limit)

    def set_webhook(self, url: str, secret: str) -> None:
        """Where to tell events from now on; an empty address ends it."""
        with self._lock:
            self._write({"webhook": [url, secret]})
            self.webhook = (url, secret)

    def told(self, sequence: int) -> None:
        """The company took the event, or it was given up: it is not told again after a restart."""
        with self._lock:
            self._write({"told": sequence})
            self._log.told.add(sequence)

    # -- inside

    def _wall_place(self, author: User, post_id: str, parent: Post | None) -> tuple[str, str]:
        """The conversation in which a new post stands, and with whom."""
        if parent is not None and (parent.customer_id or author.is_company):
            return parent.conversation, parent.customer_id
        return post_id, "" if author.is_company else author.user_id

    def _dialogue_place(self, author: User, to: str, parent: Post | None) -> tuple[str, str]:
        other = self.user(to or (parent.customer_id if parent and author.is_company else self.company.user_id))
        if other.is_company is author.is_company:
            raise Refused(422, "recipient_invalid", "Messages go between the company and one customer.")
        customer = other if author.is_company else author
        if parent is not None and parent.customer_id != customer.user_id:
            raise Refused(422, "reply_elsewhere", "A message answers a message of the same dialogue.")
        return customer.user_id, customer.user_id

    def _own(self, author: User, post_id: str, kind: Kind) -> Post:
        post = self.post(post_id, kind=kind, reader=author)
        if post.author_id != author.user_id:
            raise Refused(403, "not_yours", f"Only its author may change a {kind}.")
        return post

    def _commit(self, post: Post, change: Change) -> Post:
        self._write({"change": change.value, "post": encode(post)})
        event = self._apply(post, change)
        for listener in self._listeners:
            listener(event)
        return post

    def _apply(self, post: Post, change: Change) -> Event:
        self._files.settle(self._shelf.get(post.post_id), post)
        self._shelf.put(post)
        self.version += 1
        at = {Change.CREATED: post.created_at, Change.EDITED: post.edited_at, Change.DELETED: post.deleted_at}[change]
        body = wire.event(self._log.next_id, change, at or post.created_at, self.wire(post))
        return self._log.append(f"{post.kind}:{post.conversation}", body)

    def _write(self, entry: dict[str, Any]) -> None:
        if self._journal is not None:
            self._journal.append(entry)

    def _resume(self, journal: Journal) -> None:
        """Take up where the journal ends; a new one begins with our epoch."""
        is_new = True
        for entry in journal:
            if "post" in entry:
                self._apply(decode(Post, entry["post"]), Change(entry["change"]))
            elif "user" in entry:
                self._accounts.keep(decode(User, entry["user"]))
            elif "media" in entry:
                self._files.keep(decode(Media, entry["media"]), b"")
            elif "told" in entry:
                self._log.told.add(entry["told"])
            elif "webhook" in entry:
                self.webhook = (entry["webhook"][0], entry["webhook"][1])
            else:
                self._log.epoch, is_new = entry["epoch"], False
        if is_new:
            journal.append({"epoch": self._log.epoch})
