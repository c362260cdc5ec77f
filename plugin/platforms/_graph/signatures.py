r"""How Meta proves itself: the signature over the raw body, and the handshake of a new webhook. Knows no payload.

Meta signs the bytes as it sends them, where `é` travels as `\u00e9`: whoever reads the JSON and writes it again hashes something else.
Source: Graph API, "Webhooks: Getting started", "Validating payloads" and "Validating verification requests".
"""

from __future__ import annotations

from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.signing import is_one_of, sign
from plugin.domain.errors import SignatureInvalid

_HEADER = "x-hub-signature-256"


def verify(request: WebhookRequest, secrets: tuple[str, ...]) -> None:
    """Accept a delivery that is signed with any of `secrets`.

    Raises:
        SignatureInvalid: it is not.
    """
    accepted = tuple(f"sha256={sign(secret, request.body)}" for secret in secrets if secret)
    if not is_one_of(request.headers.get(_HEADER, ""), *accepted):
        raise SignatureInvalid(
            "The request does not bear Meta's signature with this channel's app secret; it was not stored. If the secret was reset, put "
            "the new one into `app_secret` and the old one into `previous_app_secret`."
        )


def answer(request: WebhookRequest, verify_token: str) -> WebhookAnswer | None:
    """The challenge, given back; None when this is no handshake.

    Raises:
        SignatureInvalid: it bears another verify token.
    """
    if request.method != "GET" or "hub.mode" not in request.query:
        return None
    challenge = request.query.get("hub.challenge", "")
    if request.query.get("hub.mode") != "subscribe" or not is_one_of(request.query.get("hub.verify_token", ""), verify_token):
        raise SignatureInvalid(
            "The handshake bears another verify token; nothing was answered. Enter this channel's `verify_token` in the app's webhooks."
        )
    return WebhookAnswer(status=200, body=challenge.encode("utf-8", "replace"))
