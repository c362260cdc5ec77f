"""Saying, changing and taking back what the bot said, and knowing it again. Knows nothing of what comes in.

A delivery is one call of `chat.postMessage`, with our marker in the message's metadata. Its files were handed over before, seen by nobody: the
message names their addresses, which is what shares them ("Working with files"), so that words and files are one effect with one id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from plugin.contracts.http import FormFile
from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable, TargetGone
from plugin.domain.ids import Marker, MessageRef, ThreadKey
from plugin.domain.model import File, OutboundMessage, Receipt
from plugin.platforms.slack import wording
from plugin.platforms.slack.buttons import buttons
from plugin.platforms.slack.client import SlackApi
from plugin.platforms.slack.keys import is_direct, message_ref, split_message, split_thread
from plugin.platforms.slack.messages import MARKER_TYPE, Reading, marker_of
from plugin.platforms.slack.values import read_ts, time_ts

_CLOCKS_DIFFER = timedelta(minutes=10)
_PAGES = 20
_NO_FILES = "An edit cannot add files; only the words were changed."


class Delivery:
    """What one app says."""

    def __init__(self, api: SlackApi, reading: Reading) -> None:
        self._api = api
        self._reading = reading

    def post(self, message: OutboundMessage, marker: Marker) -> Receipt:
        """As `PlatformAdapter.deliver`."""
        channel, root = split_thread(message.thread_key)
        if not message.text.plain.strip() and not message.files:
            raise RemoteRejected("The message has neither words nor files; nothing was sent. Write something and send it again.")
        links = [(file.filename, self._upload(file)) for file in message.files]
        said = self._api.sdk.chat_postMessage(
            channel=channel,
            thread_ts=root or None,
            **_words(message, links, message.choices if is_direct(channel) else ()),
            unfurl_links=bool(links),
            unfurl_media=bool(links),
            metadata={"event_type": MARKER_TYPE, "event_payload": {"marker": marker}},
        )
        ts, told = read_ts(said.get("ts")), read_string(said.get("channel")) or channel
        if not ts:
            raise OutcomeUnknown("Slack accepted the message but named no time stamp; it is looked up before anything is sent again.")
        return self._receipt(told, ts, root)

    def find(self, message: OutboundMessage, marker: Marker) -> Receipt | None:
        """As `ReadsBack.find_delivered`: the message with our marker, in its thread."""
        channel, root = split_thread(message.thread_key)
        oldest = time_ts(message.created_at - _CLOCKS_DIFFER)
        for count, page in enumerate(self._api.messages(channel, root, oldest=oldest, most=_PAGES), start=1):
            for said in page:
                ts = read_ts(said.get("ts"))
                if ts and self._reading.is_own(said) and marker_of(said) == marker:
                    return self._receipt(channel, ts, root)
            if count == _PAGES:
                raise RemoteUnavailable(
                    "More was said in this Slack conversation since then than could be looked through; whether this message is there is not "
                    "known. It was kept."
                )
        return None

    def rewrite(self, ref: MessageRef, message: OutboundMessage) -> Receipt:
        """As `EditsMessages.edit`; its marker stays where it is."""
        channel, ts = split_message(ref)
        if not message.text.plain.strip():
            raise RemoteRejected("An edit needs words; nothing was changed. Delete the message if nothing shall stand there.")
        text = wording.escape(message.text.plain)
        said = self._api.sdk.chat_update(channel=channel, ts=ts, text=text, blocks=wording.rich_text(message.text))
        if read_ts(said.get("ts")) != ts:
            raise OutcomeUnknown("Slack accepted the edit but named another message; nothing is repeated. Look at it on Slack.")
        return Receipt(message_ref=ref, losses=(_NO_FILES,) if message.files else ())

    def retract(self, ref: MessageRef, thread: ThreadKey) -> None:
        """As `DeletesMessages.delete`."""
        del thread
        channel, ts = split_message(ref)
        try:
            self._api.sdk.chat_delete(channel=channel, ts=ts)
        except TargetGone as gone:
            if gone.detail != "message_not_found":
                raise

    def _receipt(self, channel: str, ts: str, root: str) -> Receipt:
        return Receipt(message_ref=message_ref(channel, ts), url=self._reading.url(channel, ts, root or ts))

    def _upload(self, file: File) -> str:
        """Hand over a file that nobody sees yet; its address. What is never named is thrown away by Slack."""
        sdk, size = self._api.sdk, len(file.content)
        begun = sdk.files_getUploadURLExternal(filename=file.filename, length=size, alt_txt=file.description or None)
        file_id, url = read_string(begun.get("file_id")), read_string(begun.get("upload_url"))
        if not file_id or not url:
            raise RemoteUnavailable("Slack named no place for the file; nothing was sent, it is tried again.")
        self._api.upload(url, FormFile(filename=file.filename, content=file.content, content_type=file.content_type))
        made = sdk.api_call("files.completeUploadExternal", json={"files": [{"id": file_id, "title": file.filename}]})
        link = next((_link(one) for one in read_objects(made.get("files")) if _link(one)), "")
        link = link or _link(read_object(sdk.files_info(file=file_id).get("file")))
        if not link:
            raise RemoteUnavailable("Slack took the file and named no address for it; nothing was sent, it is tried again.")
        return link


def _link(file: Mapping[str, Any]) -> str:
    return read_string(file.get("permalink"))


def _words(message: OutboundMessage, links: list[tuple[str, str]], choices: Sequence[str]) -> dict[str, Any]:
    """Plain words go as such, with stars left stars; anything more goes as rich text, with the plain words for notifications."""
    plain = wording.escape(message.text.plain)
    if not message.text.marks and not links and not choices:
        return {"text": plain, "mrkdwn": False}
    fallback = plain if plain.strip() else wording.escape(", ".join(name for name, _ in links))
    return {"text": fallback, "blocks": [*wording.rich_text(message.text, links), *([buttons(choices)] if choices else [])]}
