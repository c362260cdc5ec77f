"""What an admin sets for a Request Tracker, and the shape of its web hook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class RtSettings:
    """Validated settings. Addresses come without a trailing slash; exactly one of `password` and `token` is set."""

    url: str
    user: str
    queue: str
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    web_url: str = ""
    closed_statuses: tuple[str, ...] = ("resolved", "rejected")
    open_status: str = "open"
    extension: bool = False
    custom_fields: tuple[str, ...] = ()


def _help(text: str, *, secret: bool = False) -> dict[str, Any]:
    return {"help": text, "secret": secret}


class RtSettingsSchema(Schema):
    """`[helpdesk.NAME]` of a Request Tracker."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    url = fields.Url(
        required=True,
        schemes={"http", "https"},
        require_tld=False,
        metadata=_help("Where the bridge reaches RT, with its web path if it has one."),
    )
    # Brackets and quotes have a meaning in RT's query language.
    user = fields.Str(
        required=True, validate=validate.Regexp(r"^[^\[\]'\"\\/\s]+$"), metadata=_help("The bridge's own RT user, made by seed.pl.")
    )
    password = fields.Str(
        load_default="", metadata=_help("That user's password; the bridge logs in once and keeps the session.", secret=True)
    )
    token = fields.Str(load_default="", metadata=_help("An authentication token of that user, in place of the password.", secret=True))
    queue = fields.Str(required=True, validate=validate.Length(min=1), metadata=_help("The queue for tickets of no other group."))
    webhook_secret = fields.Str(
        load_default="",
        validate=validate.Regexp(r"^$|^.{16,}$"),
        metadata=_help("What seed.pl was given; empty: no web hook, only the poll.", secret=True),
    )
    web_url = fields.Url(
        load_default="", schemes={"http", "https"}, require_tld=False, metadata=_help("Where agents reach RT, if that differs from url.")
    )
    closed_statuses = fields.List(
        fields.Str(validate=validate.Length(min=1)),
        load_default=["resolved", "rejected"],
        validate=validate.Length(min=1),
        metadata=_help("Statuses of a closed ticket in your lifecycle; the first one is set when the bridge closes a ticket."),
    )
    open_status = fields.Str(load_default="open", metadata=_help("The status of a ticket that the bridge opens again."))

    custom_fields = fields.List(
        fields.Str(validate=validate.Length(min=1)),
        load_default=[],
        metadata=_help("Further custom fields of tickets whose values rules may look at, by their names in RT."),
    )
    extension = fields.Bool(
        load_default=False, metadata=_help("Whether RT-Extension-Crossdesk is installed; customers' messages then bear their names.")
    )

    @validates_schema
    def one_credential(self, data: dict[str, Any], **_: Any) -> None:
        """Exactly one of password and token."""
        if bool(data.get("password")) == bool(data.get("token")):
            raise ValidationError("Set either password or token, not both and not neither.", "password")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> RtSettings:
        """As the frozen dataclass."""
        data["url"] = data["url"].rstrip("/")
        data["web_url"] = data["web_url"].rstrip("/") or data["url"]
        data |= {name: tuple(data[name]) for name in ("closed_statuses", "custom_fields")}
        return RtSettings(**data)


class _TransactionSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    id = fields.Str(required=True, validate=validate.Regexp(r"^[0-9]{1,19}$"))
    ticket = fields.Str(required=True, validate=validate.Regexp(r"^[0-9]{1,19}$"))
    created = fields.AwareDateTime(load_default=None, format="iso")


class HookSchema(Schema):
    """What the scrip posts: `{"transactions": [{"id": "12", "ticket": "5", "type": "Correspond", "created": "...Z"}]}`."""

    class Meta:
        """Later seeds may say more."""

        unknown = EXCLUDE

    transactions = fields.List(fields.Nested(_TransactionSchema), required=True)
