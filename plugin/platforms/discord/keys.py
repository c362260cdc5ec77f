"""The adapter's own spelling of Discord's ids. Nobody else may look inside; nothing here knows HTTP or events.

A message is `CHANNEL:MESSAGE`. A thread or forum post is a channel of its own and one conversation, `CHANNEL`. What one person says in the open
channel is another, `CHANNEL/PERSON`: there nothing else tells what belongs together.
"""

from __future__ import annotations

from plugin.domain.errors import TargetGone
from plugin.domain.ids import MessageRef, ThreadKey
from plugin.platforms.discord.values import read_id


def message_ref(channel: str, message: str) -> MessageRef:
    """A message of a channel."""
    return MessageRef(f"{channel}:{message}")


def thread_key(channel: str, person: str = "") -> ThreadKey:
    """The conversation of a thread, or of a person in an open channel."""
    return ThreadKey(f"{channel}/{person}" if person else channel)


def split_message(ref: MessageRef) -> tuple[str, str]:
    """Channel and message.

    Raises:
        TargetGone: it is no reference of ours.
    """
    channel, _, message = ref.partition(":")
    if not read_id(channel) or not read_id(message):
        raise TargetGone(f"No Discord message is known as {ref!r}; nothing was done. Look into the channel on Discord.")
    return channel, message


def channel_of(key: ThreadKey) -> str:
    """Where the conversation is answered.

    Raises:
        TargetGone: it is no key of ours.
    """
    channel, slash, person = key.partition("/")
    if not read_id(channel) or bool(slash) != bool(read_id(person)):
        raise TargetGone(f"No Discord conversation is known as {key!r}; nothing was sent. Answer in the customer's present conversation.")
    return channel
