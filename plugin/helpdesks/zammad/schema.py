"""What an admin sets for a Zammad, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

ARTICLE_TYPES = ("phone", "note", "web", "chat", "crossdesk message")
"""Types that an agent's own article may have without starting one of Zammad's own delivery jobs; the last is our add-on's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZammadSettings:
    """A valid set. `url` and `web_url` are without trailing slash; times in seconds, sizes in bytes."""

    url: str
    token: str = field(repr=False)
    group: str
    webhook_token: str = field(repr=False)
    web_url: str
    reply_types: tuple[str, ...] = ("phone", "crossdesk message")
    closed_states: tuple[str, ...] = ("closed",)
    poll_seconds: float = 60.0
    timeout: float = 12.0
    settle_seconds: float = 90.0
    max_file_bytes: int = 20_000_000
    setup_token: str = field(default="", repr=False)
    sla_minutes: int | None = None
    custom_fields: tuple[str, ...] = ()
    oauth_client_id: str = ""
    oauth_client_secret: str = field(default="", repr=False)


def _check_address(value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValidationError("Give the address as agents open it, such as https://support.example.com")


class ZammadSettingsSchema(Schema):
    """The settings of `[helpdesk.NAME]` with `kind = "zammad"`."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    url = fields.String(
        required=True,
        validate=_check_address,
        metadata={"help": "Address of Zammad as the bridge reaches it, without /api", "secret": False},
    )
    token = fields.String(
        required=True,
        validate=validate.Length(min=1),
        metadata={"help": "Access token of the bridge's own agent account, with the permission ticket.agent", "secret": True},
    )
    group = fields.String(
        required=True,
        validate=validate.Length(min=1),
        metadata={"help": "Group for new tickets where no rule names another; without e-mail address", "secret": False},
    )
    webhook_token = fields.String(
        required=True,
        validate=validate.Length(min=16),
        metadata={"help": "HMAC SHA1 signature token of the webhook in Zammad, at least 16 characters", "secret": True},
    )
    web_url = fields.String(
        load_default="",
        validate=lambda value: _check_address(value) if value else None,
        metadata={"help": "Address of Zammad as agents reach it, if it differs from url", "secret": False},
    )
    reply_types = fields.List(
        fields.String(validate=validate.OneOf(ARTICLE_TYPES)),
        load_default=lambda: ["phone", "crossdesk message"],
        validate=validate.Length(min=1),
        metadata={
            "help": "Types of public articles by agents that are replies to the customer; note is public in bulk edits",
            "secret": False,
        },
    )
    closed_states = fields.List(
        fields.String(),
        load_default=lambda: ["closed"],
        validate=validate.Length(min=1),
        metadata={"help": "Names of the states in which a ticket is closed; the first one is used for closing", "secret": False},
    )
    poll_seconds = fields.Float(
        load_default=60.0,
        validate=validate.Range(min=1),
        metadata={"help": "How often to ask for changed tickets besides the webhooks, in seconds", "secret": False},
    )
    timeout = fields.Float(
        load_default=12.0,
        validate=validate.Range(min=1, max=60),
        metadata={"help": "How long filing one message may take, in seconds: less than half of engine.lease_seconds", "secret": False},
    )
    settle_seconds = fields.Float(
        load_default=90.0,
        validate=validate.Range(min=1),
        metadata={"help": "How long a call may still be applied after no answer came: your proxy's time limit and some", "secret": False},
    )
    max_file_bytes = fields.Integer(
        load_default=20_000_000,
        validate=validate.Range(min=1),
        metadata={
            "help": "Largest file to attach to an article, in bytes; the limit of your proxy, less a third for base64",
            "secret": False,
        },
    )

    setup_token = fields.String(
        load_default="",
        metadata={
            "help": "Access token of an administrator, for `crossdesk helpdesk` alone; better left out and given when asked for",
            "secret": True,
        },
    )
    sla_minutes = fields.Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=1),
        metadata={"help": "Let `crossdesk helpdesk apply` make a service level: so many minutes to the first reply", "secret": False},
    )
    custom_fields = fields.List(
        fields.String(validate=validate.Regexp(r"[a-z][a-z0-9_]*")),
        load_default=list,
        metadata={"help": "Further custom fields of tickets whose values rules may look at, by their names in Zammad", "secret": False},
    )

    oauth_client_id = fields.String(
        load_default="",
        metadata={
            "help": "Application ID of `Crossdesk panel` in Zammad (Admin, System, API): agents sign in with Zammad",
            "secret": False,
        },
    )
    oauth_client_secret = fields.String(load_default="", metadata={"help": "Application secret of the same", "secret": True})

    @validates_schema
    def _check_application(self, data: Mapping[str, Any], **_: Any) -> None:
        if bool(data["oauth_client_id"]) != bool(data["oauth_client_secret"]):
            raise ValidationError("Give both, the application's ID and its secret, or neither", "oauth_client_secret")

    @post_load
    def _settings(self, data: Mapping[str, Any], **_: Any) -> ZammadSettings:
        url = data["url"].rstrip("/")
        lists = {key: tuple(data[key]) for key in ("reply_types", "closed_states", "custom_fields")}
        return ZammadSettings(**{**data, **lists, "url": url, "web_url": (data["web_url"] or url).rstrip("/")})
