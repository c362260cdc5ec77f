"""Words to press, below a question of ours. A press is the customer's own message: nothing of the keyboard is to be read.

Source: Bot API, "ReplyKeyboardMarkup". It names no limits; ours are what a phone shows in one row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugin.platforms.telegram.refs import Thread

MOST = 8
LENGTH = 20


def keyboard(thread: Thread, choices: Sequence[str]) -> Mapping[str, Any] | None:
    """One row that goes away with the press, in the bot's own chats with one person.

    None elsewhere: Telegram has no such keyboard in channels and for business accounts, and in a group it would be everybody's.
    """
    if not choices or thread.business or thread.direct or thread.chat.startswith("-"):
        return None
    return {"keyboard": [[{"text": choice} for choice in choices]], "resize_keyboard": True, "one_time_keyboard": True}
