"""The people's side of the stand-in: what customers and the account's own people do in the apps, and the webhooks that tell of it."""

from __future__ import annotations

from typing import Any

from plugin.testing.standins.graph.world import ACCOUNT, NUMBER, PAGE, Comment, Json, World

POST, MEDIA = f"{PAGE}_2200001", "17900000000000001"
NAMES = {"5500011": "Ada Lovelace", "5500012": "Ben Fry"}
VERBS = frozenset({
    "person_comments", "person_edits_comment", "person_removes_comment", "page_hides_comment", "person_writes", "person_edits_message",
    "person_unsends", "person_reacts", "inbox_writes", "instagram_comments", "instagram_removes_comment", "whatsapp_writes", "whatsapp_tells",
    "person_answers_story",
})  # fmt: skip


class People:
    """Everybody who is not our adapter."""

    def __init__(self, world: World) -> None:
        self._world = world

    def person_comments(self, person: str, text: str, *, parent: str = "", post: str = POST, silent: bool = False) -> str:
        """A comment on Facebook; `silent` keeps its webhook back. Returns its id."""
        made = self._world.add_comment("page", post, parent, person, text)
        if not silent:
            self.tell_comment(made, "add")
        return made.ref

    def person_edits_comment(self, ref: str, text: str) -> None:
        """A comment on Facebook reads differently."""
        found = self._world.comments[ref]
        found.text = text
        self.tell_comment(found, "edited")

    def person_removes_comment(self, ref: str) -> None:
        """A comment on Facebook is taken back; its webhook says neither who nor what."""
        found = self._world.comments.pop(ref)
        value = {"item": "comment", "verb": "remove", "comment_id": ref, "post_id": found.post, "parent_id": found.parent or found.post}
        self._world.publish("page", "feed", {**value, "created_time": int(self._world.now())})

    def page_hides_comment(self, ref: str) -> None:
        """Somebody of the Page's hides a comment on Facebook itself."""
        found = self._world.comments[ref]
        found.is_hidden = True
        self.tell_comment(found, "hide")

    def person_writes(
        self, person: str, text: str = "", *, network: str = "page", files: list[Json] | None = None, silent: bool = False, **more: Any
    ) -> str:
        """A message in Messenger or on Instagram; returns its id."""
        made = self._world.add_message(network, person, text, is_ours=False)
        message = {"mid": made.ref, **({"text": text} if text else {}), **({"attachments": files} if files else {}), **more}
        if not silent:
            self.tell_message(network, person, {"message": message})
        return made.ref

    def person_answers_story(self, person: str, text: str) -> str:
        """An answer to a story of ours on Instagram."""
        story = {"url": "https://cdn.example.com/story.jpg", "id": "17990000000000001"}
        return self.person_writes(person, text, network="instagram", reply_to={"story": story})

    def person_edits_message(self, person: str, ref: str, text: str, *, network: str = "page") -> None:
        """A message reads differently."""
        self.tell_message(network, person, {"message_edit": {"mid": ref, "text": text, "num_edit": 1}})

    def person_unsends(self, person: str, ref: str, *, network: str = "page") -> None:
        """A message is taken back."""
        self.tell_message(network, person, {"message": {"mid": ref, "is_deleted": True}})

    def person_reacts(self, person: str, ref: str, emoji: str, *, network: str = "page") -> None:
        """A reaction to a message."""
        self.tell_message(network, person, {"reaction": {"mid": ref, "action": "react", "emoji": emoji, "reaction": "other"}})

    def inbox_writes(self, person: str, text: str, *, network: str = "page") -> str:
        """Somebody of ours answers in the Page's inbox."""
        made = self._world.add_message(network, person, text, is_ours=True)
        self.tell_echo(network, person, {"mid": made.ref, "text": text, "app_id": 263902037430900})
        return made.ref

    def instagram_comments(self, person: str, text: str, *, parent: str = "", silent: bool = False) -> str:
        """A comment on Instagram; returns its id."""
        made = self._world.add_comment("instagram", MEDIA, parent, person, text)
        if not silent:
            self.tell_instagram_comment(made)
        return made.ref

    def instagram_removes_comment(self, ref: str) -> None:
        """A comment on Instagram is taken back. Instagram tells nobody."""
        self._world.comments.pop(ref)

    def whatsapp_writes(self, person: str, text: str = "", *, kind: str = "text", content: Json | None = None, **more: Any) -> str:
        """A message on WhatsApp; `person` is a number or a business-scoped id. Returns its id."""
        made = self._world.add_message("whatsapp", person, text, is_ours=False)
        is_scoped = not person.isdigit()
        known = {"user_id": person} if is_scoped else {"wa_id": person}
        said: Json = {"id": made.ref, "timestamp": str(int(made.at)), "type": kind, kind: content or {"body": text}, **more}
        said |= {"from_user_id": person} if is_scoped else {"from": person}
        self._world.publish(
            "whatsapp_business_account", "messages", {"contacts": [{"profile": {"name": "Ada Lovelace"}, **known}], "messages": [said]}
        )
        return made.ref

    def whatsapp_tells(self, ref: str, status: str, **more: Any) -> None:
        """A status of a message of ours."""
        made = next(one for one in self._world.messages if one.ref == ref)
        value: Json = {"id": ref, "status": status, "timestamp": str(int(self._world.now())), "recipient_id": made.customer, **more}
        if "biz_opaque_callback_data" in made.body:
            value["biz_opaque_callback_data"] = made.body["biz_opaque_callback_data"]
        self._world.publish("whatsapp_business_account", "messages", {"statuses": [value]})

    def tell_comment(self, comment: Comment, verb: str) -> None:
        """The feed's webhook about a comment."""
        author = {"id": comment.author, "name": NAMES.get(comment.author, "Somebody")}
        value = {
            "from": author, "message": comment.text, "post_id": comment.post, "comment_id": comment.ref, "item": "comment", "verb": verb,
            "created_time": int(self._world.now()), "parent_id": comment.parent or comment.post,
        }  # fmt: skip
        self._world.publish("page", "feed", value)

    def tell_instagram_comment(self, comment: Comment) -> None:
        """Instagram's webhook about a comment."""
        value: Json = {"id": comment.ref, "text": comment.text, "from": {"id": comment.author, "username": f"u{comment.author}"}}
        value |= {"media": {"id": comment.post, "media_product_type": "FEED"}, **({"parent_id": comment.parent} if comment.parent else {})}
        self._world.publish("instagram", "comments", value)

    def tell_message(self, network: str, person: str, what: Json) -> None:
        """A member of `messaging` about what a person did."""
        account = PAGE if network == "page" else ACCOUNT
        stamp = int(self._world.now() * 1000)
        self._world.publish(network, "messaging", {"sender": {"id": person}, "recipient": {"id": account}, "timestamp": stamp, **what})

    def tell_echo(self, network: str, person: str, message: Json) -> None:
        """A member of `messaging` about what the account said."""
        account = PAGE if network == "page" else ACCOUNT
        stamp = int(self._world.now() * 1000)
        value = {"sender": {"id": account}, "recipient": {"id": person}, "timestamp": stamp, "message": {**message, "is_echo": True}}
        self._world.publish(network, "messaging", value)


def whatsapp_metadata() -> Json:
    """Which number a delivery of WhatsApp is about."""
    return {"messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER}}
