"""What the practice network's channel is configured with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marshmallow import RAISE, Schema, fields, post_load, validate


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One company account on one practice network."""

    url: str
    token: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    previous_webhook_secret: str = field(default="", repr=False)
    poll_seconds: float = 20.0


class SettingsSchema(Schema):
    """`[channel.NAME]` with `platform = "rehearsal"`."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    url = fields.Url(
        required=True,
        schemes={"http", "https"},
        require_tld=False,
        metadata={"help": "Where the practice network is, such as http://127.0.0.1:8100/network", "secret": False},
    )
    token = fields.String(
        required=True, validate=validate.Length(min=8), metadata={"help": "The company account's access token", "secret": True}
    )
    webhook_secret = fields.String(
        required=True, validate=validate.Length(min=16), metadata={"help": "What signs the webhooks: 16 characters or more", "secret": True}
    )
    previous_webhook_secret = fields.String(
        load_default="", metadata={"help": "The secret before it was changed, while old webhooks may still arrive", "secret": True}
    )

    poll_seconds = fields.Float(
        load_default=20.0,
        validate=validate.Range(min=1),
        metadata={"help": "How often to ask for events besides the webhooks, in seconds", "secret": False},
    )

    @post_load
    def _settings(self, data: dict[str, Any], **_: Any) -> Settings:
        return Settings(**{**data, "url": data["url"].rstrip("/")})
