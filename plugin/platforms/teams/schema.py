"""The settings of one Teams bot."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

_UUID = validate.Regexp(
    re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z"), error="This is no id such as 00000000-0000-0000-0000-000000000000."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Validated settings; see `SettingsSchema`."""

    app_id: str
    app_password: str = field(repr=False)
    tenant_id: str
    address_secret: str = field(repr=False)
    channels: str = "public"
    service_url: str = "https://smba.trafficmanager.net/teams"
    login_url: str = "https://login.microsoftonline.com"
    metadata_url: str = "https://login.botframework.com/v1/.well-known/openidconfiguration"


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        is_url = False
    if not is_url:
        raise ValidationError("Give a whole address, without a query.")


class SettingsSchema(Schema):
    """What stands under `[channel.NAME]` for a Teams bot."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    app_id = fields.String(
        required=True,
        validate=_UUID,
        metadata={"help": "The bot's Microsoft App ID, from the Azure Bot's page Configuration.", "secret": False},
    )
    app_password = fields.String(
        required=True,
        validate=validate.Length(min=16, max=200),
        metadata={"help": "A client secret of that application: its value, not its id.", "secret": True},
    )
    tenant_id = fields.String(
        required=True,
        validate=_UUID,
        metadata={"help": "The App Tenant ID, from the same page: bots belong to one tenant.", "secret": False},
    )
    address_secret = fields.String(
        required=True,
        validate=validate.Regexp(re.compile(r"[A-Za-z0-9_-]{24,128}\Z"), error="Use 24 to 128 of A-Z a-z 0-9 _ and -."),
        metadata={
            "help": "A secret of your own choice, the last part of the messaging endpoint. Microsoft's tokens prove the sender, not the body.",
            "secret": True,
        },
    )
    channels = fields.String(
        load_default="public",
        validate=validate.OneOf(("public", "private")),
        metadata={
            "help": 'What is said in the channels of teams. "public": treated like public posts (approval, preflight and the crossover apply). '
            '"private": as if only the customer read it. Chats are always private.',
            "secret": False,
        },
    )
    service_url = fields.String(
        load_default="https://smba.trafficmanager.net/teams",
        validate=_check_url,
        metadata={"help": "Where answers go; the token is shown to nobody else. Change it for government clouds only.", "secret": False},
    )
    login_url = fields.String(
        load_default="https://login.microsoftonline.com",
        validate=_check_url,
        metadata={"help": "Where the bot's token comes from. Change it for government clouds only.", "secret": False},
    )
    metadata_url = fields.String(
        load_default="https://login.botframework.com/v1/.well-known/openidconfiguration",
        validate=_check_url,
        metadata={"help": "Where the Bot Framework names its signing keys. Change it for government clouds only.", "secret": False},
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Settings:
        """The validated settings, frozen."""
        bare = {name: data[name].rstrip("/") for name in ("service_url", "login_url")}
        return Settings(**{**data, **bare, "app_id": data["app_id"].lower()})
