"""The settings of one WhatsApp number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import post_load

from plugin.platforms._graph.settings import GraphSchema, GraphSettings, id_field


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(GraphSettings):
    """Validated settings of a number."""

    phone_number_id: str
    business_account_id: str
    signup_config_id: str = ""


class SettingsSchema(GraphSchema):
    """What stands under `[channel.NAME]` for a WhatsApp number."""

    phone_number_id = id_field("The number's id (not the number itself): WhatsApp → API Setup in the app's dashboard.")
    business_account_id = id_field("The WhatsApp Business Account's id, shown beside it.")
    signup_config_id = id_field(
        "The configuration's id for Embedded Signup (Facebook Login for Business → Configurations). Empty: a system user's token is used.",
        required=False,
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Settings:
        """The validated settings, frozen."""
        return Settings(**data)
