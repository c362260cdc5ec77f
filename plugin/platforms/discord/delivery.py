"""Saying, changing and taking back what the bot said, and knowing it again. Knows nothing of what comes in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from plugin.contracts.http import FormFile
from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable, TargetGone
from plugin.domain.ids import Marker, MessageRef
from plugin.domain.model import OutboundMessage, Receipt
from plugin.platforms.discord import wording
from plugin.platforms.discord.client import UNKNOWN_MESSAGE, DiscordApi
from plugin.platforms.discord.keys import channel_of, message_ref, split_message
from plugin.platforms.discord.messages import url_of
from plugin.platforms.discord.values import id_order, read_id, time_id

_CLOCKS_DIFFER = timedelta(minutes=2)
_NONCE_LETTERS = 25
_PAGES = 10
_PER_PAGE = 100
_GONE = "The message that is answered is gone; the reply was sent without reference to it."


class Delivery:
    """What one bot says."""

    def __init__(self, api: DiscordApi) -> None:
        self._api = api

    def post(self, message: OutboundMessage, marker: Marker) -> Receipt:
        """As `PlatformAdapter.deliver`."""
        channel = channel_of(message.thread_key)
        if not message.text and not message.files:
            raise RemoteRejected("The message has neither words nor files; nothing was sent. Write something and send it again.")
        answered = _answered(message, channel)
        body: dict[str, Any] = {
            "content": wording.render(message.text),
            "nonce": marker[-_NONCE_LETTERS:],
            "enforce_nonce": True,
            "allowed_mentions": {"parse": [], "replied_user": True},
        }
        if answered:
            body["message_reference"] = {"message_id": answered, "channel_id": channel, "fail_if_not_exists": False}
        path = f"/channels/{channel}/messages"
        if message.files:
            named = [{"id": number, "filename": file.filename, **_described(file.description)} for number, file in enumerate(message.files)]
            files = [FormFile(filename=file.filename, content=file.content, content_type=file.content_type) for file in message.files]
            said = self._api.write("POST", path, form={"payload_json": json.dumps({**body, "attachments": named})}, files=files)
        else:
            said = self._api.write("POST", path, body)
        if not read_id(said.get("id")):
            raise OutcomeUnknown("Discord accepted the message but named no id; it is looked up before anything is sent again.")
        return _receipt(said, channel, answered)

    def find(self, message: OutboundMessage) -> Receipt | None:
        """As `ReadsBack.find_delivered`: what the bot said since, in the same words, with the same files, to the same message.

        The nonce cannot be read back (Discord documentation, "Message Object": it comes with the answer and the Gateway's event alone).
        """
        channel, after = channel_of(message.thread_key), time_id(message.created_at - _CLOCKS_DIFFER)
        own, wanted = (
            read_id(self._api.read("/users/@me").get("id")),
            _looks(wording.render(message.text), [file.filename for file in message.files]),
        )
        if not own:
            raise RemoteUnavailable("Discord did not say who the bot is; whether the message is there is not known. It was kept.")
        answered = _answered(message, channel)
        for _ in range(_PAGES):
            page = self._api.page(f"/channels/{channel}/messages", {"after": after, "limit": str(_PER_PAGE)})
            for said in page:
                names = [read_string(file.get("filename")) for file in read_objects(said.get("attachments"))]
                is_same = _looks(read_string(said.get("content")), names) == wanted and _reference(said) in (answered, "")
                if is_same and read_id(read_object(said.get("author")).get("id")) == own and read_id(said.get("id")):
                    return _receipt(said, channel, answered)
            newest = max((read_id(said.get("id")) for said in page), key=id_order, default="")
            if len(page) < _PER_PAGE or id_order(newest) <= id_order(after):
                return None
            after = newest
        raise RemoteUnavailable(
            "More was said in this Discord channel since then than could be looked through; whether this message is there is not known. It was kept."
        )

    def rewrite(self, ref: MessageRef, message: OutboundMessage) -> Receipt:
        """As `EditsMessages.edit`."""
        channel, message_id = split_message(ref)
        body = {"content": wording.render(message.text), "allowed_mentions": {"parse": []}}
        said = self._api.write("PATCH", f"/channels/{channel}/messages/{message_id}", body)
        if read_id(said.get("id")) != message_id:
            raise OutcomeUnknown("Discord accepted the edit but named another message; nothing is repeated. Look at it on Discord.")
        losses = ("An edit cannot add files; only the words were changed.",) if message.files else ()
        return Receipt(message_ref=ref, losses=losses)

    def retract(self, ref: MessageRef) -> None:
        """As `DeletesMessages.delete`."""
        channel, message_id = split_message(ref)
        try:
            self._api.write("DELETE", f"/channels/{channel}/messages/{message_id}")
        except TargetGone as gone:
            if not gone.detail.startswith(UNKNOWN_MESSAGE):
                raise


def _answered(message: OutboundMessage, channel: str) -> str:
    """The message to hang it below, if that is in the same channel."""
    if message.reply_to is None:
        return ""
    where, _, answered = message.reply_to.partition(":")
    return read_id(answered) if where == channel else ""


def _described(description: str) -> dict[str, str]:
    return {"description": description[:1024]} if description else {}


def _looks(content: str, names: list[str]) -> tuple[str, list[str]]:
    """What can be compared: Discord trims the words, and changes letters of file names that it does not like."""
    return content.strip(), sorted("".join(letter for letter in name if letter.isascii() and letter.isalnum()) for name in names)


def _reference(said: Mapping[str, Any]) -> str:
    return read_id(read_object(said.get("message_reference")).get("message_id"))


def _receipt(said: Mapping[str, Any], channel: str, answered: str) -> Receipt:
    message_id, guild = read_id(said.get("id")), read_id(said.get("guild_id"))
    losses = (_GONE,) if answered and not _reference(said) else ()
    return Receipt(message_ref=message_ref(channel, message_id), url=url_of(guild, channel, message_id) if guild else "", losses=losses)
