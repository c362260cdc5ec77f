"""The references that this adapter mints: X's own ids, with a word before them where ids of different kinds could meet."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.domain.ids import MessageRef, ThreadKey

_PUBLIC, _PRIVATE, _CHAT = "public", "dm", "chat"


@dataclass(frozen=True, slots=True)
class PublicThread:
    """One customer in one conversation: many people may speak in the same one."""

    conversation: str
    customer: str

    @property
    def key(self) -> ThreadKey:
        """As the engine keeps it."""
        return ThreadKey(f"{_PUBLIC}/{self.conversation}/{self.customer}")


@dataclass(frozen=True, slots=True)
class PrivateThread:
    """A conversation by direct messages: `SMALLER-LARGER` user id, or the number of a group."""

    conversation: str

    @property
    def key(self) -> ThreadKey:
        """As the engine keeps it."""
        return ThreadKey(f"{_PRIVATE}/{self.conversation}")

    def other(self, account: str) -> str:
        """The person that `account` talks to; empty in a group."""
        people = self.conversation.split("-")
        return next((one for one in people if one != account), "") if len(people) == 2 and account in people else ""


def between(one: str, other: str) -> PrivateThread:
    """The conversation of two people, as X names it (X documentation, "Direct Messages lookup")."""
    return PrivateThread("-".join(sorted((one, other), key=rank)))


def chat_key(conversation: str) -> ThreadKey:
    """An encrypted chat, which can only be told of."""
    return ThreadKey(f"{_CHAT}/{conversation}")


def read_thread(key: ThreadKey) -> PublicThread | PrivateThread | None:
    """The thread of a key; None for an encrypted chat and for what is not ours."""
    kind, _, rest = key.partition("/")
    if kind == _PRIVATE and rest:
        return PrivateThread(rest)
    conversation, slash, customer = rest.partition("/")
    return PublicThread(conversation, customer) if kind == _PUBLIC and conversation and slash else None


def private_ref(event: str) -> MessageRef:
    """The reference of a direct message."""
    return MessageRef(f"{_PRIVATE}:{event}")


def chat_ref(message: str) -> MessageRef:
    """The reference of a message in an encrypted chat."""
    return MessageRef(f"{_CHAT}:{message}")


def private_id(ref: MessageRef) -> str:
    """X's id of a direct message; empty for a post."""
    kind, colon, event = ref.partition(":")
    return event if colon and kind == _PRIVATE else ""


def post_id(ref: MessageRef) -> str:
    """X's id of a post; empty for anything else."""
    return "" if ":" in ref else str(ref)


def rank(one: str) -> tuple[int, str]:
    """Sorts ids by age: later ids are larger numbers, and X's exceed what floating point can hold."""
    return len(one), one
