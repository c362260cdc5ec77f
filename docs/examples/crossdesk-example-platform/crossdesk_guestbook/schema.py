"""What a guestbook's channel is configured with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marshmallow import RAISE, Schema, fields, post_load, validate


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One guestbook."""

    url: str
    token: str = field(repr=False)


class SettingsSchema(Schema):
    """`[channel.NAME]` with `platform = "guestbook"`."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    url = fields.Url(
        required=True,
        schemes={"http", "https"},
        require_tld=False,
        metadata={"help": "Where the guestbook is, such as https://book.example", "secret": False},
    )
    token = fields.String(
        required=True,
        validate=validate.Length(min=16),
        metadata={"help": "The guestbook's key: signs its webhooks and our calls", "secret": True},
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Settings:
        """The validated settings, frozen."""
        return Settings(url=data["url"].rstrip("/"), token=data["token"])
