"""The adapter's own spelling of Slack's ids. Nobody else may look inside; nothing here knows HTTP or events.

A message's `ts` is unique in its channel only: a message is `CHANNEL:TS`. A thread is `CHANNEL:ROOT`, the root being its first message;
a direct conversation with the bot is one thread, `CHANNEL`, whatever is said in threads inside of it.
"""

from __future__ import annotations

import re

from plugin.domain.errors import TargetGone
from plugin.domain.ids import MessageRef, ThreadKey
from plugin.platforms.slack.values import read_ts

_CHANNEL = re.compile(r"[CDG][A-Z0-9]{2,30}")


def is_channel(channel: str) -> bool:
    """Whether it is spelt as the id of a channel or conversation."""
    return _CHANNEL.fullmatch(channel) is not None


def is_direct(channel: str) -> bool:
    """Whether it is a conversation of one person with the bot."""
    return channel.startswith("D")


def message_ref(channel: str, ts: str) -> MessageRef:
    """A message of a channel."""
    return MessageRef(f"{channel}:{ts}")


def thread_key(channel: str, root: str, *, is_direct: bool) -> ThreadKey:
    """The conversation that a message with this root belongs to."""
    return ThreadKey(channel if is_direct else f"{channel}:{root}")


def split_message(ref: MessageRef) -> tuple[str, str]:
    """Channel and time stamp of a message.

    Raises:
        TargetGone: it is no reference of ours.
    """
    channel, _, ts = ref.partition(":")
    if not is_channel(channel) or not read_ts(ts):
        raise TargetGone(f"No Slack message is known as {ref!r}; nothing was done. Look into the channel on Slack.")
    return channel, ts


def split_thread(key: ThreadKey) -> tuple[str, str]:
    """Channel and root of a conversation; the root is empty for a direct one.

    Raises:
        TargetGone: it is no key of ours.
    """
    channel, colon, root = key.partition(":")
    if not is_channel(channel) or bool(colon) != bool(read_ts(root)):
        raise TargetGone(f"No Slack conversation is known as {key!r}; nothing was sent. Answer in the customer's present conversation.")
    return channel, root
