"""The app's own edges on the stand-in's Graph: subscriptions and their handshake, tokens, permissions, and who the accounts are."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

from plugin.testing.standins.graph.calls import Call, field_of
from plugin.testing.standins.graph.refusals import Refused, invalid
from plugin.testing.standins.graph.world import ACCOUNT, APP, NUMBER, OBJECTS, PAGE, WABA, Json, World

_METHOD = tuple[str, str, Callable[[Call], Json], str, str, str]
_MESSAGING = frozenset({
    "messages", "message_reactions", "messaging_postbacks", "messaging_referral", "messaging_optins", "messaging_handovers", "standby",
})  # fmt: skip
FIELDS = {
    "page": _MESSAGING | {"feed", "mention", "message_echoes", "message_edits", "message_deliveries", "message_reads", "messaging_policy_enforcement"},
    "instagram": _MESSAGING | {"comments", "live_comments", "mentions", "messaging_seen", "message_edit", "story_insights"},
    "whatsapp_business_account": frozenset({
        "messages", "smb_message_echoes", "smb_app_state_sync", "history", "message_template_status_update", "account_update", "user_preferences", "calls",
    }),
}  # fmt: skip
"""What an app may be told of."""
_EXCHANGE = "client_id client_secret redirect_uri code code_verifier grant_type fb_exchange_token"


@dataclass(slots=True)
class Edges:
    """`shake` asks a new address for the challenge; whether it gave it back."""

    world: World
    token: Callable[[], str]
    is_valid: Callable[[], bool]
    shake: Callable[[str, str], bool]
    user_tokens: set[str] = field(default_factory=set)
    declined: set[str] = field(default_factory=set)
    """Permissions that the person did not give."""
    codes: dict[str, str] = field(default_factory=dict)
    """Codes that can be traded, each once, with the challenge they were asked for under."""
    unknown_fields: set[str] = field(default_factory=set)
    """Fields of webhooks that this version does not know."""
    _callbacks: dict[str, Json] = field(default_factory=dict)
    _subscribed: dict[str, list[str]] = field(default_factory=dict)
    _override: str = ""

    def methods(self) -> list[_METHOD]:
        """What can be called."""
        return [
            ("GET", r"/debug_token", self._debug, "input_token", "", ""),
            ("GET", rf"/{APP}/subscriptions", self._list_callbacks, "", "", ""),
            ("POST", rf"/{APP}/subscriptions", self._set_callback, "", "object callback_url verify_token fields", ""),
            ("GET", rf"/({PAGE}|{ACCOUNT}|{WABA})/subscribed_apps", self._list_subscribed, "", "", ""),
            ("POST", rf"/({PAGE}|{ACCOUNT}|{WABA})/subscribed_apps", self._subscribe, "", "subscribed_fields", ""),
            ("GET", rf"/({PAGE}|{ACCOUNT}|{NUMBER})", self._who, "fields", "", ""),
            ("POST", rf"/{NUMBER}", self._configure, "", "webhook_configuration", ""),
            ("POST", r"/oauth/access_token", self._trade, "", _EXCHANGE, ""),
            ("GET", r"/me/permissions", self._permissions, "", "", ""),
        ]

    def address(self, subject: str) -> str:
        """Where a subject's webhooks go; "" while the account tells nobody."""
        owner = {"page": PAGE, "instagram": PAGE, "whatsapp_business_account": WABA}[subject]
        if owner not in self._subscribed and OBJECTS[subject] not in self._subscribed:
            return ""
        override = self._override if subject.startswith("whatsapp") else ""
        return override or field_of(self._callbacks.get(subject, {}), "callback_url")

    def drop(self, owner: str) -> None:
        """The account tells the app no more, as after an hour of failures."""
        self._subscribed.pop(owner, None)

    def move(self, subject: str, url: str) -> None:
        """Somebody sets another address."""
        if subject == "whatsapp_business_account":
            self._override = url
        else:
            self._callbacks[subject]["callback_url"] = url

    def _debug(self, call: Call) -> Json:
        if call.params.get("input_token") != self.token() or not self.is_valid():
            return {"data": {"is_valid": False, "error": {"code": 190, "message": "Invalid token"}, "scopes": []}}
        return {"data": {"is_valid": True, "app_id": APP, "scopes": sorted(self.world.scopes)}}

    def _list_callbacks(self, _: Call) -> Json:
        return {"data": list(self._callbacks.values())}

    def _set_callback(self, call: Call) -> Json:
        subject, url = field_of(call.body, "object"), field_of(call.body, "callback_url")
        if subject not in OBJECTS:
            raise invalid("object is unknown")
        if not self.shake(url, field_of(call.body, "verify_token")):
            raise Refused(2200, "Callback verification failed with the following errors: the challenge did not come back")
        names = [name for name in field_of(call.body, "fields").split(",") if name]
        self._check_fields(subject, names)
        fields = [{"name": name, "version": "v26.0"} for name in names]
        self._callbacks[subject] = {"object": subject, "callback_url": url, "active": True, "fields": fields}
        return {"success": True}

    def _list_subscribed(self, call: Call) -> Json:
        if call.ids[0] == WABA:
            self.world.require("whatsapp_business_management")
        fields = self._subscribed.get(call.ids[0])
        if fields is None:
            return {"data": []}
        if call.ids[0] == WABA:
            return {"data": [{"whatsapp_business_api_data": {"id": APP, "name": "Desk"}}]}
        return {"data": [{"id": APP, "name": "Desk", "subscribed_fields": fields}]}

    def _subscribe(self, call: Call) -> Json:
        owner, given = call.ids[0], field_of(call.body, "subscribed_fields")
        self.world.require("whatsapp_business_management" if owner == WABA else "pages_manage_metadata")
        if not given and owner != WABA:
            raise invalid("subscribed_fields is required")
        if owner != WABA:
            self._check_fields("page" if owner == PAGE else "instagram", given.split(","))
        self._subscribed[owner] = given.split(",") if given else []
        return {"success": True}

    def _check_fields(self, subject: str, names: list[str]) -> None:
        known = sorted(FIELDS[subject] - self.unknown_fields)
        for number, name in enumerate(names):
            if name not in known:
                raise invalid(f'Param fields[{number}] must be one of {{{", ".join(known)}}} - got "{name}".')

    def _configure(self, call: Call) -> Json:
        wanted = call.object("webhook_configuration", "override_callback_uri verify_token")
        if not self.shake(field_of(wanted, "override_callback_uri"), field_of(wanted, "verify_token")):
            raise Refused(2200, "Callback verification failed with the following errors: the challenge did not come back")
        self._override = field_of(wanted, "override_callback_uri")
        return {"success": True}

    def _who(self, call: Call) -> Json:
        ref, fields = call.ids[0], call.params.get("fields", "")
        if fields == "access_token":
            return {"access_token": self.token(), "id": ref}
        if fields == "webhook_configuration":
            self.world.require("whatsapp_business_management")
            return {"webhook_configuration": {"phone_number": self._override} if self._override else {}, "id": ref}
        if fields.startswith("mentioned_comment"):
            return {"mentioned_comment": {"id": "1", "text": "@example.shop is slow", "username": "ada.l"}, "id": ref}
        names = {PAGE: {"name": "Example Shop"}, ACCOUNT: {"username": "example.shop"}, NUMBER: {"verified_name": "Example Shop"}}
        return {"id": ref, **names[ref]}

    def _trade(self, call: Call) -> Json:
        if call.body.get("client_id") != APP:
            raise Refused(101, "Error validating application.")
        if call.body.get("grant_type") == "fb_exchange_token":
            if call.body.get("fb_exchange_token") not in self.user_tokens:
                raise Refused(190, "Invalid OAuth access token", status=401)
            return self._user_token("EAA-long-lived-user-token")
        wanted = self.codes.pop(field_of(call.body, "code"), None)
        verifier = field_of(call.body, "code_verifier").encode()
        if wanted is None or wanted != urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode():
            raise Refused(100, "This authorization code has been used.", subcode=36009)
        return self._user_token("EAA-short-lived-user-token")

    def _user_token(self, token: str) -> Json:
        self.user_tokens.add(token)
        return {"access_token": token, "token_type": "bearer", "expires_in": 5_183_944}

    def _permissions(self, _: Call) -> Json:
        given = [{"permission": one, "status": "declined" if one in self.declined else "granted"} for one in sorted(self.world.scopes)]
        return {"data": given}
