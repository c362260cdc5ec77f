"""What a generic channel is configured with: where the other side is, the secrets of both directions, and what it can take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from plugin.contracts.rulers import CODE_POINTS, GRAPHEMES, UTF8, UTF16
from plugin.platforms.webhook import signatures

RULERS = {ruler.name: ruler for ruler in (CODE_POINTS, UTF16, UTF8, GRAPHEMES)}
MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One channel. See `SettingsSchema` for what each value means."""

    url: str
    receive_secret: str = field(repr=False)
    send_secret: str = field(repr=False)
    previous_receive_secret: str = field(default="", repr=False)
    previous_send_secret: str = field(default="", repr=False)
    visibility: str = "public"
    replies: tuple[str, ...] = ("public", "private")
    idempotent: bool = True
    readback_url: str = ""
    events_url: str = ""
    poll_seconds: float = 30.0
    timeout: float = 15.0
    edits: bool = True
    deletes: bool = True
    formatting: bool = False
    text_length: int = 10_000
    text_ruler: str = CODE_POINTS.name
    files_per_message: int = 4
    file_bytes: int = 5 * MEGABYTE
    content_types: tuple[str, ...] = ()
    choices: int = 0
    choice_length: int = 20
    edit_window: float | None = None
    reply_window: float | None = None
    calls_per_second: float | None = None

    @property
    def receive_keys(self) -> tuple[bytes, ...]:
        """What the other side may have signed with."""
        return _keys(self.receive_secret, self.previous_receive_secret)

    @property
    def send_keys(self) -> tuple[bytes, ...]:
        """What we sign with."""
        return _keys(self.send_secret, self.previous_send_secret)


def _keys(*secrets: str) -> tuple[bytes, ...]:
    return tuple(signatures.key_of(secret) for secret in secrets if secret)


def _check_secret(secret: str) -> None:
    if secret:
        try:
            signatures.key_of(secret)
        except ValueError:
            raise ValidationError("Write whsec_ and the base64 of 24 to 64 random bytes.") from None


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_fit = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        is_fit = False
    if not is_fit or "#" in url or any(not "!" <= letter <= "~" for letter in url):
        raise ValidationError("Give a whole address such as https://shop.example/crossdesk, without a user, a password or a #.")


def _check_question(url: str) -> None:
    """The signature of a call that reads covers its query, which is ours alone."""
    if url:
        _check_address(url)
        if "?" in url:
            raise ValidationError("Give the address without a query (?...): the query is the bridge's own.")


def _secret(text: str, **options: Any) -> fields.String:
    """`make`: what `channel add` makes one by where nobody gives it, to be handed to the other side's developer."""
    make = {"make": signatures.make_secret} if options.get("required") else {}
    return fields.String(validate=_check_secret, metadata={"help": text, "secret": True, **make}, **options)


def _help(text: str) -> dict[str, Any]:
    return {"help": text, "secret": False}


class SettingsSchema(Schema):
    """`[channel.NAME]` with `platform = "webhook"`."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    url = fields.String(
        required=True,
        validate=_check_address,
        metadata=_help("Where replies, edits and deletions are posted to. The final address: redirects are not followed."),
    )
    receive_secret = _secret("What the other side signs its events with: whsec_ and the base64 of 24 to 64 random bytes.", required=True)
    send_secret = _secret(
        "What we sign our calls with; another one than receive_secret, so that neither side's words can be sent back to it.", required=True
    )
    previous_receive_secret = _secret("While receive_secret is changed: the old one, still accepted. Then empty it.", load_default="")
    previous_send_secret = _secret("While send_secret is changed: the old one, a second signature by which is sent along.", load_default="")
    visibility = fields.String(
        load_default="public",
        validate=validate.OneOf(("public", "private")),
        metadata=_help('Who can read a message whose event does not say it: "public" or "private".'),
    )
    replies = fields.List(
        fields.String(validate=validate.OneOf(("public", "private"))),
        load_default=lambda: ["public", "private"],
        metadata=_help('Where the other side can show a reply: ["public"], ["private"] or both.'),
    )
    idempotent = fields.Boolean(
        load_default=True,
        metadata=_help(
            "Whether the other side does a call with the same webhook-id only once, as the contract asks. If false, an unclear call is "
            "looked up at readback_url, or left to a person, and never repeated by itself."
        ),
    )
    readback_url = fields.String(
        load_default="",
        validate=_check_question,
        metadata=_help("Where one can ask, by client_id, whether a reply arrived. Empty: nowhere."),
    )
    events_url = fields.String(
        load_default="",
        validate=_check_question,
        metadata=_help("Where events can be asked for, as a net below those that are posted to us, or instead of them. Empty: nowhere."),
    )
    poll_seconds = fields.Float(
        load_default=30.0, validate=validate.Range(min=1, max=86_400), metadata=_help("How often events_url is asked, in seconds.")
    )
    timeout = fields.Float(load_default=15.0, validate=validate.Range(min=1, max=60), metadata=_help("Seconds that a call may take."))
    edits = fields.Boolean(load_default=True, metadata=_help("Whether the other side knows message.edit."))
    deletes = fields.Boolean(load_default=True, metadata=_help("Whether the other side knows message.delete."))
    formatting = fields.Boolean(load_default=False, metadata=_help("Whether the other side shows the html that is sent beside the text."))
    text_length = fields.Integer(
        load_default=10_000,
        strict=True,
        validate=validate.Range(min=100, max=100_000),
        metadata=_help("Longest text of one message; longer replies are split."),
    )
    text_ruler = fields.String(
        load_default=CODE_POINTS.name,
        validate=validate.OneOf(tuple(RULERS)),
        metadata=_help(f"How text_length counts: {', '.join(RULERS)}."),
    )
    files_per_message = fields.Integer(
        load_default=4, strict=True, validate=validate.Range(min=0, max=20), metadata=_help("Files that one message can carry; 0: none.")
    )
    file_bytes = fields.Integer(
        load_default=5 * MEGABYTE,
        strict=True,
        validate=validate.Range(min=1, max=25 * MEGABYTE),
        metadata=_help("Largest file that the other side takes, in bytes."),
    )
    content_types = fields.List(
        fields.String(validate=validate.Regexp(r"[a-z0-9.+-]+/(\*|[a-z0-9.+-]+)\Z")),
        load_default=list,
        metadata=_help('Kinds of file that the other side takes, such as ["image/*", "application/pdf"]. Empty: any.'),
    )
    edit_window = fields.Float(
        load_default=None, allow_none=True, validate=validate.Range(min=1), metadata=_help("Seconds for which a reply can be edited.")
    )
    choices = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(min=0, max=20),
        metadata=_help("Words to press that the other side can show below a private question; 0: none."),
    )
    choice_length = fields.Integer(
        load_default=20, strict=True, validate=validate.Range(min=1, max=200), metadata=_help("Letters that each of them may have.")
    )
    reply_window = fields.Float(
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=1),
        metadata=_help("Seconds for which a customer can be answered after their last message."),
    )
    calls_per_second = fields.Float(
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=0.01),
        metadata=_help("Calls in a second that the other side bears."),
    )

    @validates_schema
    def check_whole(self, data: dict[str, Any], **_: Any) -> None:
        """Rules over several fields."""
        received = {data.get("receive_secret"), data.get("previous_receive_secret")} - {"", None}
        if received & {data.get("send_secret"), data.get("previous_send_secret")}:
            raise ValidationError(
                "Take another secret than for receiving: what is signed for one direction must not pass in the other.", "send_secret"
            )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Settings:
        """The validated settings, frozen."""
        return Settings(**{**data, "replies": tuple(data["replies"]), "content_types": tuple(data["content_types"])})
