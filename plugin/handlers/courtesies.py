"""Small signs of attention before a reply: that the message was read, and that an answer is being written. Never tried again, never in the way."""

from __future__ import annotations

import structlog

from plugin.contracts.platform import MarksRead, PlatformAdapter, SendsTyping
from plugin.domain.model import OutboundMessage

_log = structlog.get_logger("crossdesk.courtesies")


def show_attention(adapter: PlatformAdapter, message: OutboundMessage) -> None:
    """Where the platform has it: everything up to the answered message is read, and files, which take their time, are on their way."""
    try:
        if isinstance(adapter, MarksRead) and message.reply_to is not None:
            adapter.mark_read(message.thread_key, message.reply_to)
        if isinstance(adapter, SendsTyping) and message.files:
            adapter.send_typing(message.thread_key)
    except Exception as error:  # noqa: BLE001 - the reply itself goes out, and meets whatever is really amiss
        _log.info("courtesy_failed", reason=type(error).__name__)
