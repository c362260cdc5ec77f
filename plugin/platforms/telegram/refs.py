"""The adapter's own spelling of Telegram's ids. Nobody else may look inside; nothing here knows HTTP or events.

A message id is unique in its chat only, and a business account's chat with a customer numbers its messages apart from the bot's own
chat with the same customer. So a message is `CHAT:MESSAGE`, or `CHAT:MESSAGE:CONNECTION` in a business chat, and a thread is
`CHAT`, `CHAT/topic/TOPIC`, `CHAT/direct/TOPIC` (a channel's direct messages) or `CHAT/business/CONNECTION`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plugin.domain.errors import TargetGone
from plugin.domain.ids import MessageRef, ThreadKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """Where a conversation lives: a chat, and at most one of the three ways in which a chat can hold several."""

    chat: str
    topic: str = ""
    direct: str = ""
    business: str = ""

    @property
    def key(self) -> ThreadKey:
        """The thread as the rest of the bridge sees it."""
        for name in ("topic", "direct", "business"):
            value = getattr(self, name)
            if value:
                return ThreadKey(f"{self.chat}/{name}/{value}")
        return ThreadKey(self.chat)

    def message(self, message_id: Any) -> MessageRef:
        """The reference of a message in this thread."""
        tail = f":{self.business}" if self.business else ""
        return MessageRef(f"{self.chat}:{message_id}{tail}")


def thread_from_key(key: ThreadKey) -> Thread:
    """The reverse of `Thread.key`.

    Raises:
        TargetGone: no key of ours.
    """
    chat, _, rest = key.partition("/")
    name, _, value = rest.partition("/")
    if not _is_integer(chat) or name not in ("", "topic", "direct", "business") or bool(name) != bool(value):
        raise TargetGone(f"No Telegram chat is known as {key!r}; nothing was sent. Answer in the customer's present conversation.")
    return Thread(chat=chat, **({name: value} if name else {}))


def split_message(ref: MessageRef) -> tuple[str, int, str]:
    """Chat, message id and business connection ("" for none) of a message reference.

    Raises:
        TargetGone: no reference of ours.
    """
    chat, _, rest = ref.partition(":")
    number, _, business = rest.partition(":")
    if not _is_integer(chat) or not number.isdecimal():
        raise TargetGone(f"No Telegram message is known as {ref!r}; nothing was done. Answer without referring to it.")
    return chat, int(number), business


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal()
