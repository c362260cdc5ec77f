"""Pages and Instagram on the stand-in's Graph: comments, the Send API, the lists that a catch-up reads. Each method knows a closed set of fields."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from plugin.testing.standins.graph.calls import Call, closed, field_of
from plugin.testing.standins.graph.people import MEDIA, NAMES, POST, People
from plugin.testing.standins.graph.refusals import Refused, invalid, missing
from plugin.testing.standins.graph.world import ACCOUNT, PAGE, Comment, Json, Message, World

_MEGABYTE = 1_000_000
_CAPS = {"image": 8 * _MEGABYTE, "video": 25 * _MEGABYTE, "audio": 25 * _MEGABYTE, "file": 25 * _MEGABYTE}
_LATEST = 7 * 86_400.0


class Nodes:
    """The two platforms over one world."""

    def __init__(self, world: World, people: People) -> None:
        self._world = world
        self._people = people

    def comment(self, call: Call) -> Json:
        """An answer below a post or comment of the Page."""
        self._world.require("pages_manage_engagement")
        above = call.ids[0]
        if above in self._world.comments:
            post, parent = self._world.comment(above, "page").post, above
        elif above == POST or above.startswith(f"{PAGE}_"):
            post, parent = above, ""
        else:
            raise missing(above)
        picture = call.files.get("source")
        if picture is not None and not picture.content_type.startswith("image/"):
            raise invalid("A comment takes a picture only")
        text = call.text("message", 8_000) if picture is None or "message" in call.body else ""
        made = self._world.add_comment("page", post, parent, PAGE, text, is_ours=True)
        made.has_picture = picture is not None
        self._people.tell_comment(made, "add")
        return {"id": made.ref}

    def change_comment(self, call: Call) -> Json:
        """Our comment reads differently, or anybody's is hidden."""
        ref = call.ids[0]
        network = "page" if "_" in ref else "instagram"
        found = self._world.comment(ref, network)
        if network == "instagram":
            self._world.require("instagram_manage_comments")
            call.check("", "hide", "")
            found.is_hidden = _flag(call, "hide")
            return {"success": True}
        self._world.require("pages_manage_engagement")
        if "message" in call.body:
            if not found.is_ours:
                raise Refused(200, "Permissions error", status=403)
            found.text = call.text("message", 8_000)
            self._people.tell_comment(found, "edited")
        else:
            found.is_hidden = _flag(call, "is_hidden")
            self._people.tell_comment(found, "hide" if found.is_hidden else "unhide")
        return {"success": True}

    def delete_comment(self, call: Call) -> Json:
        """A comment is gone."""
        ref = call.ids[0]
        if ref not in self._world.comments:
            raise missing(ref)
        del self._world.comments[ref]
        return {"success": True}

    def read_node(self, call: Call) -> Json:
        """A comment, as far as a look needs it."""
        ref = call.ids[0]
        if "instagram_manage_comments" not in self._world.scopes or ref not in self._world.comments:
            raise missing(ref)
        return {"id": ref}

    def person(self, call: Call) -> Json:
        """Who wrote to the account; nobody else's profile is told, and no other field."""
        ref, asked = call.ids[0], call.params.get("fields", "").split(",")
        network = "instagram" if "username" in asked else "page"
        self._world.require("instagram_manage_messages" if network == "instagram" else "pages_messaging")
        name = NAMES.get(ref, "Somebody")
        known: Json = {"name": name, "profile_pic": f"https://cdn.example.com/{ref}.jpg"}
        if network == "page":
            known |= {"first_name": name.partition(" ")[0], "last_name": name.partition(" ")[2]}
        else:
            known |= {"username": f"u{ref}", "follower_count": 1200, "is_verified_user": False}
            known |= {"is_user_follow_business": True, "is_business_follow_user": False}
        for one in asked:
            if one not in known:
                raise invalid(f"Tried accessing nonexisting field ({one}) on node type (User)")
        if not any(one.network == network and one.customer == ref and not one.is_ours for one in self._world.messages):
            if network == "instagram":
                raise Refused(230, "User consent is required to access user profile", status=400)
            raise Refused(100, "No profile available for this user.", subcode=2018218)
        return {**{one: known[one] for one in asked}, "id": ref}

    def reply(self, call: Call) -> Json:
        """An answer below a comment on Instagram."""
        self._world.require("instagram_manage_comments")
        above = self._world.comment(call.ids[0], "instagram")
        text = call.text("message", 300)
        if text.count("#") > 4:
            raise invalid("A comment takes at most 4 hashtags")
        made = self._world.add_comment("instagram", above.post, above.ref, ACCOUNT, text, is_ours=True)
        self._people.tell_instagram_comment(made)
        return {"id": made.ref}

    def mention(self, call: Call) -> Json:
        """An answer where somebody mentioned us."""
        self._world.require("instagram_manage_comments")
        call.text("media_id", 40)
        made = self._world.add_comment("instagram", call.body["media_id"], "", ACCOUNT, call.text("message", 300), is_ours=True)
        return {"id": made.ref}

    def attach(self, call: Call) -> Json:
        """A file that a message may name."""
        kind = field_of(call.object("message", "attachment").get("attachment"), "type")
        upload = call.files.get("filedata")
        if kind not in _CAPS or upload is None:
            raise invalid("filedata and an attachment type are needed")
        if not upload.content or len(upload.content) > _CAPS[kind]:
            raise Refused(100, "Attachment size exceeds allowable limit", subcode=2018047)
        ref = f"1857{self._world.next_id()}"
        self._world.files[ref] = upload.content
        self._world.uploads[ref] = "instagram" if call.body.get("platform") == "instagram" else "page"
        return {"attachment_id": ref}

    def send(self, call: Call) -> Json:
        """A message, a sender action, or the one private reply."""
        target = call.object("recipient", "id comment_id post_id")
        if len(target) != 1:
            raise invalid("recipient needs exactly one of id, comment_id, post_id")
        network, customer = self._addressee(target, "page" if "messaging_type" in call.body else "instagram")
        self._world.require("pages_messaging" if network == "page" else "instagram_manage_messages")
        if "sender_action" in call.body:
            self._world.seen.append((customer, str(call.body["sender_action"])))
            return {"recipient_id": customer}
        text, sent = self._content(call, network)
        is_human = call.body.get("tag") == "HUMAN_AGENT"
        if ("tag" in call.body) != (call.body.get("messaging_type") == "MESSAGE_TAG") or ("tag" in call.body and not is_human):
            raise invalid("Invalid parameter: this message tag is not supported any more")
        if network == "page" and "messaging_type" not in call.body:
            raise invalid("messaging_type is required")
        if "id" in target:
            self._world.require_window(network, customer, is_human=is_human)
        made = self._world.add_message(network, customer, text, is_ours=True, body=sent)
        self._people.tell_echo(network, customer, {"mid": made.ref, "app_id": 1180223344556677, **sent})
        return {"recipient_id": customer, "message_id": made.ref}

    def _content(self, call: Call, network: str) -> tuple[str, Json]:
        known = "text attachment quick_replies metadata" if network == "page" else "text attachment quick_replies"
        message = call.object("message", known)
        if ("text" in message) == ("attachment" in message):
            raise invalid("A message holds either text or an attachment")
        if "quick_replies" in message:
            _check_quick_replies(message)
        if "attachment" in message:
            attachment = closed(message["attachment"], "attachment", "type payload")
            ref = field_of(attachment.get("payload"), "attachment_id")
            if self._world.uploads.get(ref) != network:
                raise invalid("Invalid attachment_id")
            return "", message
        text = field_of(message, "text")
        if not text.strip():
            raise Refused(100, "Message cannot be empty, must provide valid attachment or text", subcode=2018034)
        if network == "page" and len(text) > 2_000:
            raise invalid("Length of param message[text] must be less than or equal to 2000")
        if network == "instagram" and len(text.encode()) > 1_000:
            raise Refused(100, "Message text length exceeds 1000 bytes", subcode=2534030)
        return text, message

    def _addressee(self, target: Json, likely: str) -> tuple[str, str]:
        if "id" in target:
            network = next((one.network for one in self._world.messages if one.customer == target["id"]), likely)
            return network, str(target["id"])
        if "post_id" in target:
            return "page", f"psid-of-{target['post_id']}"
        ref = str(target["comment_id"])
        comment = self._world.comments.get(ref)
        if comment is None:
            raise missing(ref)
        if comment.had_private_reply:
            raise Refused(10900, "Activity already replied to.")
        if comment.is_ours or self._world.now() - comment.at > _LATEST:
            raise Refused(10903, "This user can't reply to this activity.")
        comment.had_private_reply = True
        return comment.network, f"psid-{comment.author}"

    def conversations(self, call: Call) -> Json:
        """The conversations of a platform, the newest first, one a page."""
        network = {"messenger": "page", "instagram": "instagram"}.get(call.params.get("platform", ""))
        if network is None:
            raise invalid("platform must be messenger or instagram")
        self._world.require("pages_messaging" if network == "page" else "instagram_manage_messages")
        account = PAGE if network == "page" else ACCOUNT
        by_person: dict[str, list[Message]] = {}
        for one in self._world.messages:
            if one.network == network:
                by_person.setdefault(one.customer, []).append(one)
        listed = sorted(by_person.items(), key=lambda item: item[1][-1].at, reverse=True)
        return paged(call, [_conversation(person, said, account) for person, said in listed])

    def feed(self, call: Call) -> Json:
        """The Page's posts with the comments below them."""
        self._world.require("pages_read_user_content")
        said = [one for one in self._world.comments.values() if one.network == "page" and one.post == POST]
        shown = [_comment(one) for one in sorted(said, key=lambda one: one.at, reverse=True)]
        newest = _iso(max((one.at for one in said), default=0.0))
        post = {"id": POST, "from": {"id": PAGE, "name": "Example Shop"}, "message": "New in the shop", "created_time": _iso(0.0)}
        return paged(call, [{**post, "updated_time": newest, "comments": {"data": shown}}])

    def media(self, call: Call) -> Json:
        """The account's media with the comments below them."""
        self._world.require("instagram_manage_comments")
        said = [one for one in self._world.comments.values() if one.network == "instagram" and one.post == MEDIA]
        shown = [
            {**_instagram(one), "replies": {"data": [_instagram(below) for below in said if below.parent == one.ref]}}
            for one in said
            if not one.parent
        ]
        return paged(call, [{"id": MEDIA, "timestamp": _iso(0.0), "comments": {"data": shown}}])


def paged(call: Call, listed: list[Json]) -> Json:
    """One member of a list with the cursor of the next: whoever does not follow misses the rest."""
    at = int(call.params.get("after") or 0)
    more = {"next": "https://never.example/follow-me"} if at + 1 < len(listed) else {}
    return {"data": listed[at : at + 1], "paging": {"cursors": {"before": str(at), "after": str(at + 1)}, **more}}


def _check_quick_replies(message: Json) -> None:
    listed = message["quick_replies"]
    if "text" not in message or not isinstance(listed, list) or not 0 < len(listed) <= 13:
        raise invalid("quick_replies must be 1 to 13, below a text")
    for one in listed:
        known = closed(one, "quick_reply", "content_type title payload")
        if known.get("content_type") != "text" or not 0 < len(field_of(known, "title")) <= 20 or not field_of(known, "payload"):
            raise invalid("A quick reply needs content_type text, a payload, and a title of at most 20 characters")


def _flag(call: Call, name: str) -> bool:
    value = call.body.get(name)
    if not isinstance(value, bool):
        raise invalid(f"Param {name} must be a boolean")
    return value


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def _conversation(person: str, said: list[Message], account: str) -> Json:
    def shown(one: Message) -> Json:
        sides: list[Any] = [{"id": account}, {"id": person, "name": NAMES.get(person, "Somebody")}]
        sender, other = sides if one.is_ours else sides[::-1]
        return {"id": one.ref, "created_time": _iso(one.at), "from": sender, "to": {"data": [other]}, "message": one.text}

    return {"id": f"t_{person}", "updated_time": _iso(said[-1].at), "messages": {"data": [shown(one) for one in reversed(said)]}}


def _comment(one: Comment) -> Json:
    author = {"id": one.author, "name": NAMES.get(one.author, "Somebody")}
    parent = {"parent": {"id": one.parent}} if one.parent else {}
    return {"id": one.ref, "from": author, "message": one.text, "created_time": _iso(one.at), **parent}


def _instagram(one: Comment) -> Json:
    return {"id": one.ref, "text": one.text, "timestamp": _iso(one.at), "from": {"id": one.author, "username": f"u{one.author}"}}
