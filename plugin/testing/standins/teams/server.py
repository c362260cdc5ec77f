"""The stand-in's HTTP, and the people's side: what they say becomes a signed delivery."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from flask import Response, jsonify, request

from plugin.contracts.http import WebhookRequest
from plugin.testing.standins.closed import unknown_fields
from plugin.testing.standins.serving import Json, Refusal, StandIn, reply
from plugin.testing.standins.teams import tokens

APP, TENANT = "11111111-2222-3333-4444-555555555555", "99999999-8888-7777-6666-555555555555"
PASSWORD, ADDRESS_SECRET = "in~a.Client8Secret7of6a5stand4in", "an-address-secret-of-a-stand-in"
SCOPE = "https://api.botframework.com/.default"
_FORM = "application/x-www-form-urlencoded"
_FIELDS = ("type", "text", "textFormat", "replyToId", "suggestedActions")
_MOST_ACTIONS = 6
_LONGEST = 28_000


class Refused(Refusal):
    """`{"error": {"code", "message"}}` with a status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, {"error": {"code": code, "message": message}})


class TeamsStandIn(StandIn):
    """One tenant with one bot. `said` holds the bot's activities by conversation and id, `typing` where it showed that it writes."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        super().__init__("teams", now=now)
        self.personal, self.channel = "a:1personalChatOfAda", "19:team00channel@thread.tacv2;messageid=1795262400001"
        self.conversations = {self.personal: "personal", self.channel: "channel"}
        self.said: dict[str, dict[str, Json]] = {}
        self.typing: list[str] = []
        self.kid = "key-1"
        self.keys = [tokens.published("key-1")]
        self.fetched = self.issued = 0
        self.is_password_valid = True
        self.valid_tokens: set[str] = set()
        self.files: dict[str, tuple[bytes, bool]] = {}
        """Content by name, and whether it wants our token."""
        self._count = 0
        self._answer_calls()

    @property
    def settings(self) -> Json:
        """The settings of a channel that is connected to it."""
        return {
            "app_id": APP,
            "app_password": PASSWORD,
            "tenant_id": TENANT,
            "address_secret": ADDRESS_SECRET,
            "service_url": f"{self.url}/teams",
            "login_url": f"{self.url}/login",
            "metadata_url": f"{self.url}/v1/.well-known/openidconfiguration",
        }

    def says(self, conversation: str, text: str, *, kind: str = "message", **fields: Any) -> WebhookRequest:
        """Somebody acts: a signed delivery."""
        self._count += 1
        now = datetime.fromtimestamp(self.now(), UTC)
        activity = {
            "type": kind,
            "id": str(1795262400000 + self._count),
            "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%f0Z"),
            "serviceUrl": f"https://smba.trafficmanager.net/emea/{TENANT}/",
            "channelId": "msteams",
            "from": {"id": "29:1ada", "name": "Ada Lovelace", "aadObjectId": "aaaaaaaa-0000-0000-0000-000000000001"},
            "conversation": {"conversationType": self.conversations[conversation], "tenantId": TENANT, "id": conversation},
            "recipient": {"id": f"28:{APP}", "name": "Helpdesk"},
            "locale": "en-GB",
            "text": text,
            "textFormat": "plain",
            **fields,
        }
        return self.signed(activity)

    def presses(self, title: str) -> WebhookRequest:
        """The person presses one of the words below what the bot said last in the personal chat: it is said in the person's name."""
        last = list(self.said[self.personal].values())[-1]
        action = next(one for one in last["suggestedActions"]["actions"] if one["title"] == title)
        return self.says(self.personal, action["value"])

    def reads(self, conversation: str) -> WebhookRequest:
        """The person has read everything; told to apps that have the permission for it."""
        last = list(self.said[conversation])[-1]
        name = "application/vnd.microsoft.readReceipt"
        return self.says(conversation, "", kind="event", name=name, value={"lastReadMessageId": last})

    def signed(self, activity: Json, *, alg: str = "RS256", signed_by: str = "", **claims: Any) -> WebhookRequest:
        """An activity as the Bot Framework sends it; `claims` over those of an honest token."""
        now = int(self.now())
        honest = {
            "serviceurl": activity.get("serviceUrl"),
            "nbf": now,
            "exp": now + 1800,
            "iss": "https://api.botframework.com",
            "aud": APP,
        }
        bearer = tokens.token(self.kid, {**honest, **claims}, alg=alg, signed_by=signed_by)
        headers = {"content-type": "application/json; charset=utf-8", "authorization": f"Bearer {bearer}"}
        return WebhookRequest(method="POST", path=f"/{ADDRESS_SECRET}", headers=headers, query={}, body=json.dumps(activity).encode())

    def too_many(self, seconds: float) -> Refusal:
        """Teams says for how long, and nothing else."""
        return Refusal(429, {}, {"retry-after": str(int(seconds))})

    def _answer_calls(self) -> None:
        app = self.app
        activities = "/teams/v3/conversations/<path:conversation>/activities"
        app.add_url_rule("/v1/.well-known/openidconfiguration", view_func=self._metadata, methods=["GET"])
        app.add_url_rule("/v1/.well-known/keys", view_func=self._keys, methods=["GET"])
        app.add_url_rule("/login/<tenant>/oauth2/v2.0/token", view_func=self._sign_in, methods=["POST"])
        app.add_url_rule(activities, view_func=self._create, methods=["POST"])
        app.add_url_rule(f"{activities}/<activity>", view_func=self._change, methods=["PUT", "DELETE"])
        app.add_url_rule("/teams/files/<name>", view_func=self._file, methods=["GET"])

    def _metadata(self) -> Response:
        return jsonify({"issuer": "https://api.botframework.com", "jwks_uri": f"{self.url}/v1/.well-known/keys"})

    def _keys(self) -> Response:
        keys = self.struck("keys", lambda: self.keys)
        self.fetched += 1
        return jsonify({"keys": keys})

    def _sign_in(self, tenant: str) -> Response:
        return self.struck("token", lambda: self._issue(tenant))

    def _issue(self, tenant: str) -> Response:
        form = request.form
        if request.mimetype != _FORM or form.get("grant_type") != "client_credentials" or form.get("scope") != SCOPE:
            return _oauth(400, "invalid_request")
        if tenant != TENANT or form.get("client_id") != APP:
            return _oauth(400, "unauthorized_client")
        if form.get("client_secret") != PASSWORD or not self.is_password_valid:
            return _oauth(401, "invalid_client")
        self.issued += 1
        token = f"eyJ0.stand-in.{self.issued}"
        self.valid_tokens.add(token)
        return jsonify({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token})

    def _create(self, conversation: str) -> Response:
        body = self._checked(conversation)
        return reply({"id": self.struck("create", lambda: self._add(conversation, body))}, 201)

    def _add(self, conversation: str, body: Json) -> str:
        if body["type"] == "typing":
            self.typing.append(conversation)
        self._count += 1
        made = str(1795262400000 + self._count)
        if body["type"] == "message":
            self.said.setdefault(conversation, {})[made] = body
        return made

    def _change(self, conversation: str, activity: str) -> Response:
        body = self._checked(conversation)
        if activity not in self.said.get(conversation, {}):
            raise Refused(404, "ActivityNotFoundInConversation", "The activity is not in the conversation.")
        if request.method == "DELETE":
            del self.said[conversation][activity]
            return Response(status=200)
        self.said[conversation][activity] = body
        return jsonify({"id": activity})

    def _checked(self, conversation: str) -> Json:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.valid_tokens:
            raise Refused(401, "Unauthorized", "Authorization has been denied for this request.")
        kind = self.conversations.get(unquote(conversation))
        if kind is None:
            raise Refused(404, "ConversationNotFound", "Conversation not found.")
        if kind == "removed":
            raise Refused(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")
        if request.method == "DELETE":
            return {}
        body = request.get_json(silent=True)
        if request.mimetype != "application/json" or not isinstance(body, dict):
            raise Refused(400, "BadSyntax", "The body is no JSON object.")
        if unknown := unknown_fields(body, _FIELDS):
            raise Refused(400, "BadArgument", f"Unknown field {unknown[0]}")
        if body.get("type") not in ("message", "typing") or (body["type"] == "message" and not body.get("text")):
            raise Refused(400, "BadSyntax", "Activity must have text.")
        if "suggestedActions" in body:
            _check_actions(body["suggestedActions"], kind)
        if len(request.get_data()) > _LONGEST:
            raise Refused(413, "MessageSizeTooBig", "Message size too large.")
        return body

    def _file(self, name: str) -> Response:
        content, is_guarded = self.files[name]
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if is_guarded and token not in self.valid_tokens:
            return Response(status=401)
        return Response(content, mimetype="image/png")


def _check_actions(suggested: Any, kind: str) -> None:
    """Words to press: `imBack` alone, six at the most, and only where one person talks to the bot. Elsewhere Teams would show none, in silence."""
    actions = suggested.get("actions") if isinstance(suggested, dict) else None
    if (
        kind != "personal"
        or not isinstance(actions, list)
        or not 0 < len(actions) <= _MOST_ACTIONS
        or unknown_fields(suggested, ("actions", "to"))
    ):
        raise Refused(400, "BadArgument", "Suggested actions cannot stand here.")
    for action in actions:
        if set(action) != {"type", "title", "value"} or action["type"] != "imBack" or not (action["title"] and action["value"]):
            raise Refused(400, "BadArgument", "Unknown suggested action.")


def _oauth(status: int, error: str) -> Response:
    return reply({"error": error, "error_description": f"AADSTS70000: {error}"}, status)
