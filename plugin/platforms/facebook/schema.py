"""The settings of one Facebook Page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import post_load

from plugin.platforms._graph.settings import GraphSchema, GraphSettings, human_agent_field, id_field, poll_field


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(GraphSettings):
    """Validated settings of a Page."""

    page_id: str
    human_agent: bool = False
    poll_seconds: float = 300.0


class SettingsSchema(GraphSchema):
    """What stands under `[channel.NAME]` for a Page."""

    page_id = id_field("The Page's id: Page settings → About → Page transparency, or in the Page's address.")
    human_agent = human_agent_field()
    poll_seconds = poll_field()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Settings:
        """The validated settings, frozen."""
        return Settings(**data)
