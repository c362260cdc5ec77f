"""Whether a delivery is the Bot Framework's: its JSON Web Token, by Microsoft's rules. Knows nothing of what an activity says.

Rules (Microsoft Learn, "Authentication with the Bot Connector API", Connector to Bot): bearer scheme; RS256 by a key that the OpenID metadata lead to;
issuer `https://api.botframework.com`; audience our app id; not expired, within five minutes; the claim `serviceurl` is the activity's `serviceUrl`;
the key is endorsed for the activity's channel. What costs nothing is checked first, so that rubbish makes no call.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from plugin.contracts.http import parse_json
from plugin.contracts.platform import Connection
from plugin.contracts.reading import read_object, read_objects, read_string, read_time
from plugin.domain.errors import MalformedPayload, RemoteError, RemoteUnavailable, SignatureInvalid, StoreUnavailable
from plugin.platforms.teams.schema import Settings

ISSUER = "https://api.botframework.com"
KEYS = "signing_keys"
"""The name under which Microsoft's keys are kept: public, but a stranger's must not get among them."""
_SKEW = 300.0
_LIVES = timedelta(hours=24)
_ANEW = timedelta(hours=1)
"""How old the kept keys must be before an unknown key id makes us ask again."""
_SMALLEST_KEY = 2048


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart; nothing in it is believed yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


def check(authorization: str, activity: Mapping[str, Any], settings: Settings, connection: Connection) -> None:
    """Accept the delivery, or say why not.

    Raises:
        SignatureInvalid: it is not the Bot Framework's, or not for this bot.
        StoreUnavailable: the keys could not be had; the sender must come again.
    """
    token = _take_apart(authorization)
    _check_claims(token.claims, activity, settings, connection.clock.now())
    if token.header.get("alg") != "RS256":
        raise _refused("its token is signed in a way that the Bot Framework does not use")
    key = _key(read_string(token.header.get("kid")), settings, connection)
    if key is None or not _is_signed(token, key):
        raise _refused("its token is not signed by one of Microsoft's keys")
    channel, endorsed = read_string(activity.get("channelId")), key.get("endorsements")
    if channel != "msteams" or not isinstance(endorsed, list) or channel not in endorsed:
        raise _refused("its key may not speak for Teams")


def fetch_keys(settings: Settings, connection: Connection) -> str:
    """Microsoft's present keys, as they are kept: `{"at": ISO time, "keys": [...]}`.

    Raises:
        RemoteError: any of its kinds.
    """
    about = connection.http.request("GET", settings.metadata_url).json_object or {}
    answer = connection.http.request("GET", read_string(about.get("jwks_uri"))) if about.get("jwks_uri") else None
    keys = read_objects((answer.json_object or {}).get("keys")) if answer is not None and answer.is_ok else []
    if not keys:
        raise RemoteUnavailable(
            "Microsoft did not tell the keys by which Teams' deliveries are known; nothing was accepted, Teams comes again."
        )
    return json.dumps({"at": connection.clock.now().isoformat(), "keys": keys})


def _take_apart(authorization: str) -> Token:
    scheme, _, token = authorization.partition(" ")
    parts = token.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3 or not token.isascii():
        raise _refused("it bears no token")
    try:
        header, claims, signature = (_decoded(part) for part in parts)
        return Token(read_object(parse_json(header)), read_object(parse_json(claims)), ".".join(parts[:2]).encode(), signature)
    except (ValueError, MalformedPayload):
        raise _refused("its token cannot be read") from None


def _check_claims(claims: Mapping[str, Any], activity: Mapping[str, Any], settings: Settings, now: datetime) -> None:
    if claims.get("iss") != ISSUER:
        raise _refused("its token was issued by somebody else")
    if read_string(claims.get("aud")).lower() != settings.app_id:
        raise _refused("its token is for another app than `app_id`")
    begins, ends = claims.get("nbf", 0), claims.get("exp")
    times = [value for value in (begins, ends) if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(times) != 2 or not times[0] - _SKEW <= now.timestamp() <= times[1] + _SKEW:
        raise _refused("its token is not valid at this time; check this machine's clock")
    service = read_string(activity.get("serviceUrl"))
    told = read_string(claims.get("serviceurl")) or read_string(claims.get("serviceUrl"))
    if not service or told.rstrip("/").lower() != service.rstrip("/").lower():
        raise _refused("its token is for another service than the one that it names")


def _key(kid: str, settings: Settings, connection: Connection) -> Mapping[str, Any] | None:
    """The key of this id. Asked for anew after a day, and when an id is new; at most once an hour for that."""
    kept = connection.secrets.get(KEYS)
    at, keys = _read_keys(kept)
    age = connection.clock.now() - at if at is not None else None
    found = _find(keys, kid)
    if age is not None and age < (_LIVES if found is not None else _ANEW):
        return found
    try:
        fresh = connection.secrets.refresh(KEYS, kept, lambda _: fetch_keys(settings, connection))
    except RemoteError as problem:
        if found is not None:
            return found
        raise StoreUnavailable(
            "The keys by which Teams' deliveries are known could not be fetched; this one was not accepted, Teams comes again.",
            detail=str(problem),
        ) from None
    return _find(_read_keys(fresh)[1], kid)


def _read_keys(kept: str | None) -> tuple[datetime | None, list[Mapping[str, Any]]]:
    try:
        data = read_object(parse_json((kept or "").encode()))
    except MalformedPayload:
        return None, []
    return read_time(data.get("at")), read_objects(data.get("keys"))


def _find(keys: Sequence[Mapping[str, Any]], kid: str) -> Mapping[str, Any] | None:
    return next((key for key in keys if kid and key.get("kid") == kid and key.get("kty") == "RSA"), None)


def _is_signed(token: Token, key: Mapping[str, Any]) -> bool:
    try:
        modulus, exponent = (int.from_bytes(_decoded(read_string(key.get(name))), "big") for name in ("n", "e"))
        if modulus.bit_length() < _SMALLEST_KEY:
            return False
        RSAPublicNumbers(exponent, modulus).public_key().verify(token.signature, token.signed, PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _refused(why: str) -> SignatureInvalid:
    return SignatureInvalid(f"The request is not accepted as the Bot Framework's: {why}. It was not stored.")
