"""Sending by Messenger's Send API, which Instagram shares: texts, files, the human agent tag, private replies to comments.

There is neither a key for repeated calls nor a way to look: a second call is made only after Graph itself refused the first.
Source: Messenger Platform, "Send API", "Message Tags", "Private Replies" and "Quick replies".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from plugin.contracts.http import FormFile
from plugin.domain.errors import RemoteUnavailable, Unsupported, WindowClosed
from plugin.domain.ids import MessageRef
from plugin.domain.model import File, OutboundMessage, Receipt
from plugin.platforms._graph.client import Graph, new_id, segment
from plugin.platforms._graph.messages import private_thread
from plugin.platforms._graph.values import read_id

_HUMAN = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}


class Sender:
    """Speaks in private for one account. `plain` goes with each message that answers within the window."""

    def __init__(self, graph: Graph, account: str, *, platform: str = "", plain: Mapping[str, str], human_agent: bool) -> None:
        self._graph = graph
        self._path = f"/{segment(account)}"
        self._platform = platform
        self._plain = plain
        self._human_agent = human_agent

    def send(self, recipient: Mapping[str, str], message: OutboundMessage, *, extra: Mapping[str, str]) -> Receipt:
        """Say one text or send one file; `extra` goes into the message itself.

        Raises:
            RemoteError: any of its kinds, as `deliver`.
        """
        content = self._content(message)
        if message.choices and "text" in content and "id" in recipient:
            content["quick_replies"] = [{"content_type": "text", "title": choice, "payload": choice} for choice in message.choices]
        body: dict[str, Any] = {"recipient": dict(recipient), "message": {**content, **extra}}
        if message.reply_to is not None and "id" in recipient:
            body["reply_to"] = {"mid": message.reply_to}
        try:
            sent = self._graph.write(f"{self._path}/messages", {**body, **self._plain})
        except WindowClosed:
            if not self._human_agent or "id" not in recipient:
                raise
            sent = self._graph.write(f"{self._path}/messages", {**body, **_HUMAN})
        person = read_id(sent.get("recipient_id"))
        opened = private_thread(person) if person and "id" not in recipient else None
        return Receipt(message_ref=MessageRef(new_id(sent, "message_id")), opened_thread=opened)

    def act(self, customer: str, action: str) -> None:
        """Show that someone writes (`typing_on`), or that all was read (`mark_seen`)."""
        self._graph.settle(f"{self._path}/messages", {"recipient": {"id": customer}, "sender_action": action})

    def _content(self, message: OutboundMessage) -> dict[str, Any]:
        if not message.files:
            return {"text": message.text.plain}
        if len(message.files) > 1 or message.text:
            raise Unsupported("Meta takes one text or one file in a message. Nothing was sent; send text and files apart.")
        file = message.files[0]
        kind = _kind(file)
        return {"attachment": {"type": kind, "payload": {"attachment_id": self._upload(file, kind)}}}

    def _upload(self, file: File, kind: str) -> str:
        """Hand over a file: nobody sees it until a message names it, so an unclear outcome does no harm."""
        form = {"message": json.dumps({"attachment": {"type": kind, "payload": {"is_reusable": False}}})}
        if self._platform:
            form["platform"] = self._platform
        part = FormFile(filename=file.filename, content=file.content, content_type=file.content_type)
        made = self._graph.settle(f"{self._path}/message_attachments", form=form, files=[("filedata", part)])
        found = read_id(made.get("attachment_id"))
        if not found:
            raise RemoteUnavailable("Meta took the file and named no id for it; nothing was sent, it is tried again.")
        return found


def _kind(file: File) -> str:
    kind = file.content_type.partition("/")[0]
    return kind if kind in ("image", "video", "audio") else "file"
