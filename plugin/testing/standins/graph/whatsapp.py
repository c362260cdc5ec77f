"""WhatsApp on the stand-in's Graph: messages of each kind, templates, media whose addresses die. Each kind knows a closed set of fields."""

from __future__ import annotations

import hashlib

from plugin.testing.standins.graph.calls import Call, closed, field_of, whatsapp_invalid
from plugin.testing.standins.graph.people import People
from plugin.testing.standins.graph.refusals import Refused, missing
from plugin.testing.standins.graph.world import DAY, Json, World

_MEGABYTE = 1_000_000
_KINDS = {
    "text": "body preview_url",
    "image": "id caption",
    "video": "id caption",
    "audio": "id",
    "document": "id caption filename",
    "interactive": "type body action",
    "template": "name language components",
}
_CAPS = {"image": 5 * _MEGABYTE, "video": 16 * _MEGABYTE, "audio": 16 * _MEGABYTE, "document": 100 * _MEGABYTE}
_PAIR_BURST, _PAIR_SECONDS = 45, 6.0
_ADDRESS_SECONDS = 300.0


class WhatsApp:
    """One number over the world."""

    def __init__(self, world: World, people: People) -> None:
        self._world = world
        self._people = people
        self._types: dict[str, str] = {}
        self._addresses: dict[str, tuple[str, float]] = {}
        self.sends_status = True

    def send(self, call: Call) -> Json:
        """A message, or the tick of a read one."""
        self._world.require("whatsapp_business_messaging")
        if call.body.get("messaging_product") != "whatsapp":
            raise Refused(100, "The parameter messaging_product is required.")
        if "status" in call.body:
            ref = field_of(call.body, "message_id")
            if not any(one.ref == ref and not one.is_ours for one in self._world.messages):
                raise whatsapp_invalid("message_id")
            self._world.seen.append((ref, str(call.body["status"])))
            return {"success": True}
        customer, kind = self._recipient(call), field_of(call.body, "type")
        if kind not in _KINDS:
            raise Refused(131051, "Unsupported message type")
        content = call.object(kind, _KINDS[kind])
        self._check(kind, content)
        self._check_window(customer, kind)
        if len(field_of(call.body, "biz_opaque_callback_data")) > 512:
            raise whatsapp_invalid("biz_opaque_callback_data")
        text = (
            field_of(content, "body") or field_of(content, "caption") or field_of(content, "name") or field_of(content.get("body"), "text")
        )
        made = self._world.add_message("whatsapp", customer, text, is_ours=True, body=call.body)
        if self.sends_status:
            self._people.whatsapp_tells(made.ref, "sent")
        known = {"wa_id": customer} if customer.isdigit() else {"user_id": customer}
        return {"messaging_product": "whatsapp", "contacts": [{"input": customer, **known}], "messages": [{"id": made.ref}]}

    def _recipient(self, call: Call) -> str:
        if ("to" in call.body) == ("recipient" in call.body):
            raise Refused(131008, "Required parameter is missing: exactly one of to and recipient")
        customer = field_of(call.body, "to") or field_of(call.body, "recipient")
        if customer.isdigit() != ("to" in call.body):
            raise whatsapp_invalid("a number goes into to, a business-scoped id into recipient")
        return customer

    def _check(self, kind: str, content: Json) -> None:
        if kind == "text" and not 0 < len(field_of(content, "body")) <= 4_096:
            raise Refused(100, "Param text['body'] must be between 1 and 4096 characters long.")
        if len(field_of(content, "caption")) > 1_024:
            raise Refused(100, f"Param {kind}['caption'] must be at most 1024 characters long.")
        if kind in _CAPS:
            self._check_file(kind, field_of(content, "id"))
        if kind == "template":
            self._check_template(content)
        if kind == "interactive":
            _check_buttons(content)

    def _check_file(self, kind: str, ref: str) -> None:
        if ref not in self._types or ref not in self._world.files:
            raise whatsapp_invalid("media id")
        if len(self._world.files[ref]) > _CAPS[kind] or (kind != "document" and not self._types[ref].startswith(kind)):
            raise Refused(131053, "Media upload error")

    def _check_template(self, content: Json) -> None:
        key = (field_of(content, "name"), field_of(content.get("language"), "code"))
        if key not in self._world.templates:
            raise Refused(132001, "Template name does not exist in the translation", status=404)
        given = 0
        for component in content.get("components", []):
            given += len(closed(component, "component", "type parameters").get("parameters", []))
        if given != self._world.templates[key]:
            raise Refused(132000, "Number of parameters does not match the expected number of params")

    def _check_window(self, customer: str, kind: str) -> None:
        ours = [one.at for one in self._world.messages if one.network == "whatsapp" and one.customer == customer and one.is_ours]
        if len([at for at in ours if at > self._world.now() - _PAIR_SECONDS]) >= _PAIR_BURST:
            raise Refused(131056, "(Business Account, Consumer Account) pair rate limit hit")
        theirs = [one.at for one in self._world.messages if one.network == "whatsapp" and one.customer == customer and not one.is_ours]
        if kind != "template" and self._world.now() - max(theirs, default=0.0) > DAY:
            raise Refused(131047, "Re-engagement message")

    def upload(self, call: Call) -> Json:
        """A file that a message may name."""
        self._world.require("whatsapp_business_messaging")
        file = call.files.get("file")
        if file is None or not file.content or call.body.get("messaging_product") != "whatsapp" or not call.body.get("type"):
            raise Refused(100, "file, type and messaging_product are required")
        return {"id": self.keep(file.content, str(call.body["type"]))}

    def keep(self, content: bytes, content_type: str) -> str:
        """A file of somebody's; its id."""
        ref = f"4490{self._world.next_id()}"
        self._world.files[ref] = content
        self._types[ref] = content_type
        return ref

    def describe(self, call: Call) -> Json:
        """Where a file can be had for five minutes."""
        ref = call.ids[0]
        if ref not in self._types:
            raise missing(ref)
        content, key = self._world.files[ref], f"{ref}-{self._world.next_id()}"
        self._addresses[key] = (ref, self._world.now() + _ADDRESS_SECONDS)
        digest = hashlib.sha256(content).hexdigest()
        url = f"{call.host}/cdn/{key}"
        about = {"url": url, "mime_type": self._types[ref], "sha256": digest, "file_size": len(content), "id": ref}
        return {"messaging_product": "whatsapp", **about}

    def content(self, key: str) -> bytes | None:
        """The bytes at an address, None when it has died."""
        ref, until = self._addresses.get(key, ("", 0.0))
        return self._world.files.get(ref) if self._world.now() < until else None


def _check_buttons(content: Json) -> None:
    text = field_of(closed(content.get("body") or {}, "body", "text"), "text")
    buttons = closed(content.get("action") or {}, "action", "buttons").get("buttons")
    if content.get("type") != "button" or not 0 < len(text) <= 1_024 or not isinstance(buttons, list) or not 0 < len(buttons) <= 3:
        raise whatsapp_invalid("a text of at most 1024 characters and 1 to 3 buttons")
    replies = [closed(closed(one, "button", "type reply").get("reply") or {}, "reply", "id title") for one in buttons]
    ids = {field_of(one, "id") for one in replies}
    if any(one.get("type") != "reply" for one in buttons) or len(ids) != len(replies) or "" in ids:
        raise whatsapp_invalid("buttons of the type reply, each with an id of its own")
    if not all(0 < len(field_of(one, "title")) <= 20 for one in replies):
        raise whatsapp_invalid("a button's title has 1 to 20 characters")
