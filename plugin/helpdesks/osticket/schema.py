"""What an admin sets for an osTicket, and the shapes of what our plugin there answers and sends (ui_extensions/osticket/contract.schema.json)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

PLUGIN, INTAKE = "plugin", "intake"
_ID = validate.Regexp(r"^[0-9]{1,18}\Z")
_OPTIONAL_ID = validate.Regexp(r"^[0-9]{0,18}\Z")
_MARKER = validate.Regexp(r"^[0-9a-z]{26}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class OsTicketSettings:
    """Validated settings. Addresses come without a trailing slash."""

    url: str
    mode: str = PLUGIN
    webhook_secret: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    group: str = ""
    web_url: str = ""
    api_path: str = "api"
    read_fields: tuple[str, ...] = ()


def _help(text: str, *, secret: bool = False) -> dict[str, Any]:
    return {"help": text, "secret": secret}


class OsTicketSettingsSchema(Schema):
    """`[helpdesk.NAME]` of an osTicket."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    url = fields.Url(
        required=True,
        schemes={"http", "https"},
        require_tld=False,
        metadata=_help("Where the bridge reaches osTicket, with its folder if it has one."),
    )
    mode = fields.Str(
        load_default=PLUGIN,
        validate=validate.OneOf([PLUGIN, INTAKE]),
        metadata=_help("plugin: everything, by our plugin in osTicket. intake: tickets only, by osTicket's own API; no reply can be seen."),
    )
    webhook_secret = fields.Str(
        load_default="",
        validate=validate.Regexp(r"^$|^\S{32,200}\Z"),
        metadata=_help("The shared secret of the plugin's settings, 32 characters or more.", secret=True),
    )
    api_key = fields.Str(
        load_default="",
        validate=validate.Regexp(r"^$|^[0-9A-Za-z]{8,64}\Z"),
        metadata=_help("For intake: an API key of osTicket that may create tickets, made for the bridge's IP address.", secret=True),
    )
    group = fields.Str(load_default="", metadata=_help("The department for tickets of no other group; empty: osTicket's default."))
    web_url = fields.Url(
        load_default="",
        schemes={"http", "https"},
        require_tld=False,
        metadata=_help("Where agents reach osTicket, if that differs from url."),
    )
    api_path = fields.Str(
        load_default="api",
        validate=validate.OneOf(["api", "api/http.php"]),
        metadata=_help("api/http.php where the web server does not rewrite addresses below api/."),
    )

    read_fields = fields.List(
        fields.Str(validate=validate.Regexp(r"^[a-z0-9_]{1,64}\Z")),
        load_default=list,
        metadata=_help("Variable names of osTicket's ticket fields that the policy may look at."),
    )

    @validates_schema
    def needs_its_secret(self, data: dict[str, Any], **_: Any) -> None:
        """Each mode has a secret of its own."""
        if data.get("mode", PLUGIN) == PLUGIN and not data.get("webhook_secret"):
            raise ValidationError("The plugin needs webhook_secret, the same as in its settings in osTicket.", "webhook_secret")
        if data.get("mode") == INTAKE and not data.get("api_key"):
            raise ValidationError("Without the plugin an api_key of osTicket is needed.", "api_key")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> OsTicketSettings:
        """As the frozen dataclass."""
        data["url"] = data["url"].rstrip("/")
        data["web_url"] = data["web_url"].rstrip("/") or data["url"]
        data["read_fields"] = tuple(data["read_fields"])
        return OsTicketSettings(**data)


class _Wire(Schema):
    class Meta:
        """Later plugins may say more."""

        unknown = EXCLUDE


class AboutSchema(_Wire):
    """`about`: who answers there."""

    contract = fields.Int(required=True, strict=True)
    plugin = fields.Str(required=True)
    osticket = fields.Str(required=True)
    php = fields.Str(required=True)
    is_prepared = fields.Bool(required=True)
    has_mbstring = fields.Bool(required=True)
    waiting = fields.Int(required=True, strict=True)


class CustomerSchema(_Wire):
    """`ensure_customer`."""

    customer = fields.Str(required=True, validate=_ID)


class OpenedSchema(_Wire):
    """`open_ticket`."""

    ticket = fields.Str(required=True, validate=_ID)
    number = fields.Str(required=True)
    entry = fields.Str(required=True, validate=_ID)
    customer = fields.Str(required=True, validate=_OPTIONAL_ID)
    losses = fields.List(fields.Str(), load_default=list)


class FiledSchema(_Wire):
    """`add_entry`."""

    ticket = fields.Str(required=True, validate=_ID)
    entry = fields.Str(required=True, validate=_ID)
    losses = fields.List(fields.Str(), load_default=list)


class FoundTicketSchema(_Wire):
    """`find_ticket`."""

    found = fields.Nested(OpenedSchema, required=True, allow_none=True)


class FoundEntrySchema(_Wire):
    """`find_entry`."""

    found = fields.Nested(FiledSchema, required=True, allow_none=True)


class StateSchema(_Wire):
    """`show_ticket` and `change_ticket`."""

    ticket = fields.Str(required=True, validate=_ID)
    live = fields.Str(required=True, allow_none=True, validate=_ID)
    number = fields.Str(required=True)
    title = fields.Str(required=True)
    status = fields.Str(required=True)
    is_closed = fields.Bool(required=True)
    owner = fields.Str(required=True)
    group = fields.Str(required=True)
    answering = fields.Str(load_default="")
    fields_ = fields.Dict(keys=fields.Str(), values=fields.Str(), required=True, data_key="fields")


class _PresserSchema(_Wire):
    agent = fields.Str(required=True)
    name = fields.Str(required=True)
    groups = fields.List(fields.Str(), required=True)


class WhoPressedSchema(_Wire):
    """`who_pressed`: who changed the field of commands last."""

    presser = fields.Nested(_PresserSchema, required=True, allow_none=True)


class _StepSchema(_Wire):
    kind = fields.Str(required=True)
    name = fields.Str(required=True)
    state = fields.Str(required=True, validate=validate.OneOf(["missing", "same", "drifted"]))


class SetupSchema(_Wire):
    """`setup`: what the plugin needs in osTicket's database, as it is after the call."""

    steps = fields.List(fields.Nested(_StepSchema), required=True)


class TriedHookSchema(_Wire):
    """`try_hook`: what is wrong, or nothing."""

    problem = fields.Str(required=True)


class DeletedSchema(_Wire):
    """`delete_trial`."""

    ticket = fields.Str(required=True, validate=_ID)


class LockSchema(_Wire):
    """`lock`: osTicket's own lock on a ticket."""

    holder = fields.Str(required=True)
    seconds = fields.Int(required=True, strict=True)
    is_yours = fields.Bool(required=True)


class _FileSchema(_Wire):
    file = fields.Str(required=True, validate=_ID)
    name = fields.Str(required=True)
    type = fields.Str(required=True)
    size = fields.Int(required=True, strict=True)


class _EntrySchema(_Wire):
    entry = fields.Str(required=True, validate=_ID)
    parent = fields.Str(required=True, validate=_OPTIONAL_ID)
    kind = fields.Str(required=True, validate=validate.OneOf(["message", "reply", "note"]))
    author = fields.Str(required=True, validate=validate.OneOf(["agent", "customer", "bridge", "system"]))
    poster = fields.Str(required=True)
    agent = fields.Str(required=True)
    is_hidden = fields.Bool(required=True)
    is_edit = fields.Bool(required=True)
    format = fields.Str(required=True, validate=validate.OneOf(["html", "text"]))
    body = fields.Str(required=True)
    at = fields.Int(required=True, strict=True, validate=validate.Range(0, 253402300799))
    marker = fields.Str(required=True, allow_none=True, validate=_MARKER)
    files = fields.List(fields.Nested(_FileSchema), required=True)


class EntriesSchema(_Wire):
    """`list_entries`."""

    entries = fields.List(fields.Nested(_EntrySchema), required=True)
    has_more = fields.Bool(required=True)


class _TouchSchema(_Wire):
    key = fields.Str(required=True, validate=validate.Regexp(r"^[0-9a-f]{32}\Z"))
    ticket = fields.Str(required=True, validate=_ID)
    at = fields.Int(required=True, strict=True, validate=validate.Range(0, 253402300799))


class TouchesSchema(_Wire):
    """`list_touches`, and what the plugin posts to us: tickets at which to look."""

    touches = fields.List(fields.Nested(_TouchSchema), required=True)
    has_more = fields.Bool(load_default=False)
