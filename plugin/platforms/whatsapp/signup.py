"""Connecting a number by Embedded Signup, as far as it is the server's part.

A code becomes a business token, the account and the number are looked at, the app is subscribed. The customer's part is Meta's own dialog.
Source: WhatsApp Business Platform, "Embedded Signup" and "Onboarding business customers as a Tech Provider".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from plugin.contracts.platform import Connection, Grant
from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import CredentialsRejected, RemoteRejected, Unsupported
from plugin.platforms._graph.client import TOKEN, Graph, require_success, segment
from plugin.platforms._graph.oauth import DIALOG, challenge, keep_token, require_scopes
from plugin.platforms._graph.values import read_id
from plugin.platforms.whatsapp.capabilities import SCOPES
from plugin.platforms.whatsapp.schema import Settings


class Signup:
    """The way from Meta's dialog to the token of one number."""

    def __init__(self, settings: Settings, connection: Connection, graph: Graph) -> None:
        self._settings = settings
        self._connection = connection
        self._graph = graph

    def authorize_url(self, grant: Grant) -> str:
        """Where the person's browser goes.

        Raises:
            Unsupported: the app has no configuration for it.
        """
        if not self._settings.signup_config_id:
            raise Unsupported(
                "Embedded Signup needs a configuration of Facebook Login for Business: put its id into `signup_config_id` of this channel, "
                "or use a system user's token as `access_token`."
            )
        asked = {
            "client_id": self._settings.app_id,
            "redirect_uri": grant.redirect_url,
            "state": grant.state,
            "response_type": "code",
            "override_default_response_type": "true",
            "config_id": self._settings.signup_config_id,
            "code_challenge": challenge(grant.verifier),
            "code_challenge_method": "S256",
        }
        return f"{DIALOG}/{self._settings.version}/dialog/oauth?{urlencode(asked)}"

    def exchange(self, code: str, grant: Grant) -> None:
        """Store the business token, once it is seen to reach this account and this number, and have the account tell our app.

        Raises:
            CredentialsRejected: the code is of no use (any more), a permission is missing, or it is for another account or number.
        """
        token = self._trade(code, grant)
        about = read_object(self._graph.read("/debug_token", {"input_token": token}, token=self._graph.app_token).get("data"))
        scopes = about.get("scopes")
        require_scopes(frozenset(one for one in scopes if isinstance(one, str)) if isinstance(scopes, list) else frozenset(), SCOPES)
        account = self._settings.business_account_id
        _require(account, _accounts(about), setting="business_account_id", what="WhatsApp Business Account")
        listed = read_objects(self._graph.read(f"/{segment(account)}/phone_numbers", {"fields": "id"}, token=token).get("data"))
        _require(self._settings.phone_number_id, [read_id(one.get("id")) for one in listed], setting="phone_number_id", what="number")
        require_success(self._graph.settle(f"/{segment(account)}/subscribed_apps", token=token))
        keep_token(self._connection, token)

    def _trade(self, code: str, grant: Grant) -> str:
        form = {
            "client_id": self._settings.app_id,
            "client_secret": self._settings.app_secret,
            "redirect_uri": grant.redirect_url,
            "code": code,
            "code_verifier": grant.verifier,
        }
        try:
            token = read_string(self._graph.exchange("/oauth/access_token", form).get(TOKEN))
        except RemoteRejected as refusal:
            raise CredentialsRejected(
                "Meta does not take the code: it was used before, or it is too old. Nothing was stored; begin again.", detail=refusal.detail
            ) from None
        if not token:
            raise CredentialsRejected("Meta gave no token for the code. Nothing was stored; begin again.")
        return token


def _accounts(about: Mapping[str, Any]) -> list[str]:
    """The accounts that the token was given for; none where it is for all."""
    found: list[str] = []
    for one in read_objects(about.get("granular_scopes")):
        targets = one.get("target_ids")
        if read_string(one.get("scope")) in SCOPES and isinstance(targets, list):
            found += [read_id(target) for target in targets]
    return found


def _require(wanted: str, given: list[str], *, setting: str, what: str) -> None:
    if given and wanted not in given:
        raise CredentialsRejected(
            f"The {what} that was chosen in Meta's dialog is {' or '.join(dict.fromkeys(given))}, and this channel's `{setting}` is {wanted}. Nothing "
            f"was stored; begin again and choose that one, or put the other id into `{setting}`."
        )
