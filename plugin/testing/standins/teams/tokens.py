"""Keys and the tokens that are signed with them, as the Bot Framework makes them."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256


@cache
def key(kid: str) -> RSAPrivateKey:
    """The key of this id, made once in a process: that takes a while."""
    del kid
    return generate_private_key(65537, 2048)


def published(kid: str, endorsements: tuple[str, ...] = ("msteams", "webchat")) -> dict[str, Any]:
    """The key as the OpenID metadata lead to it."""
    numbers = key(kid).public_key().public_numbers()
    return {
        "kty": "RSA",
        "use": "sig",
        "kid": kid,
        "x5t": kid,
        "n": number(numbers.n),
        "e": number(numbers.e),
        "endorsements": list(endorsements),
    }


def token(kid: str, claims: dict[str, Any], *, alg: str = "RS256", signed_by: str = "") -> str:
    """A token with these claims."""
    parts = [encoded(json.dumps(one).encode()) for one in ({"alg": alg, "kid": kid, "typ": "JWT"}, claims)]
    signed = ".".join(parts)
    return f"{signed}.{encoded(key(signed_by or kid).sign(signed.encode(), PKCS1v15(), SHA256()))}"


def number(value: int) -> str:
    """A number as a key writes it."""
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def encoded(value: bytes) -> str:
    """Base64 as tokens have it."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
