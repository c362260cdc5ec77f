"""The settings of one Instagram account."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from plugin.platforms._graph.settings import GraphSchema, GraphSettings, human_agent_field, id_field, poll_field, secret_field

_HOSTS = {"facebook": "https://graph.facebook.com", "instagram": "https://graph.instagram.com"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(GraphSettings):
    """Validated settings of an account. `login`: by which of the two ways the token was made."""

    account_id: str
    page_id: str = ""
    login: str = "facebook"
    webhook_app_secret: str = field(default="", repr=False)
    human_agent: bool = False
    poll_seconds: float = 300.0

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """Which secret signs with Instagram Login is not documented: any of them is accepted."""
        return (self.app_secret, self.previous_app_secret, self.webhook_app_secret)

    @property
    def owner(self) -> str:
        """Whose conversations, messages and subscription they are: with Facebook Login the Page's."""
        return self.page_id if self.login == "facebook" else self.account_id


class SettingsSchema(GraphSchema):
    """What stands under `[channel.NAME]` for an Instagram account."""

    account_id = id_field("The professional account's id (17841…), as Meta's webhooks name it.")
    page_id = id_field('With login = "facebook": the id of the Page that the account is linked to.', required=False)
    login = fields.String(
        load_default="facebook",
        validate=validate.OneOf(("facebook", "instagram")),
        metadata={
            "help": '"facebook": the token is a Page\'s (Instagram API with Facebook Login). "instagram": it is the account\'s own (with '
            "Instagram Login).",
            "secret": False,
        },
    )
    webhook_app_secret = secret_field(
        "With login = \"instagram\": the Meta app's secret, where `app_secret` is the Instagram app's. Webhooks signed with either are accepted."
    )
    graph_url = fields.String(
        load_default="",
        metadata={"help": "Where the Graph API is; empty: where `login` says. Change it only for a proxy of your own.", "secret": False},
    )
    human_agent = human_agent_field()
    poll_seconds = poll_field()

    @validates_schema
    def check_address(self, data: dict[str, Any], **_: Any) -> None:
        """The page and the address fit the login."""
        if data.get("login") == "facebook" and not data.get("page_id"):
            raise ValidationError('login = "facebook" needs the id of the Page that the account is linked to.', "page_id")
        super().check_address({**data, "graph_url": data.get("graph_url") or _HOSTS["facebook"]})

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Settings:
        """The validated settings, frozen."""
        return Settings(**{**data, "graph_url": data["graph_url"] or _HOSTS[data["login"]]})
