"""Who asks: requests signed by a helpdesk's relay, one-time links that it mints, and the sessions that those become. Knows no route.

Everything is HMAC-SHA256 under keys derived from the installation's own (`[secrets] keys`): as with those, the newest signs and all are accepted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from plugin.contracts.signing import is_fresh, is_one_of
from plugin.domain.errors import SignatureInvalid

WINDOW_SECONDS = 60.0
LINK_SECONDS = 60
SESSION_SECONDS = 600
LONGEST_SESSION_SECONDS = 8 * 3600
ROLES = ("agent", "supervisor", "admin")
AGENT, TIME, SIGNATURE = "X-Crossdesk-Agent", "X-Crossdesk-Time", "X-Crossdesk-Signature"
_LONGEST_WORD = 8000
_LONGEST_NAME = 200
_MOST_GROUPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Somebody of the helpdesk's staff, as the helpdesk itself says. `role`: agent, supervisor or admin."""

    id: str
    name: str
    role: str = "agent"
    login: str = ""
    groups: tuple[str, ...] = ()
    """The helpdesk's groups that the agent is in: the policy names those who may approve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a link or a session opens: one ticket of one helpdesk, for one agent. Times in seconds since 1970."""

    helpdesk: str
    ticket: str
    agent: Agent
    until: int
    word: str
    """A link's one use; a session's beginning."""


def relay_secret(key: str, helpdesk: str) -> str:
    """The secret that a helpdesk's relay signs with; `key` is one of the installation's."""
    return _derived(key, f"panel relay {helpdesk}")


def sign_request(secret: str, *, method: str, path: str, agent: str, time: str, body: bytes) -> str:
    """The `X-Crossdesk-Signature` of a request. `path` with its query, as sent; `agent` and `time` as their headers are sent."""
    signed = "\n".join(("crossdesk-relay", method, path, agent, time, hashlib.sha256(body).hexdigest()))
    return f"v1={_hmac(secret, signed)}"


def signed_headers(secret: str, agent: Agent, *, method: str, path: str, now: datetime, body: bytes = b"") -> dict[str, str]:
    """What a relay sends with a request."""
    told, stamp = _packed(asdict(agent)), str(int(now.timestamp()))
    return {AGENT: told, TIME: stamp, SIGNATURE: sign_request(secret, method=method, path=path, agent=told, time=stamp, body=body)}


def check_request(secrets_of: Sequence[str], headers: Mapping[str, str], *, method: str, path: str, body: bytes, now: datetime) -> Agent:
    """The agent on whose behalf a relay asks.

    Raises:
        SignatureInvalid: it was not signed with one of the helpdesk's secrets, or not just now, or names no agent.
    """
    agent, stamp, given = headers.get(AGENT, ""), headers.get(TIME, ""), headers.get(SIGNATURE, "")
    told = agent.encode("utf-8", "surrogatepass").decode("utf-8", "replace")[:_LONGEST_WORD]
    accepted = [sign_request(secret, method=method, path=path, agent=told, time=stamp, body=body) for secret in secrets_of]
    if not is_one_of(given, *accepted):
        raise SignatureInvalid("The request is not signed with this helpdesk's secret. Nothing was shown or done.")
    if not is_fresh(stamp, now, window=WINDOW_SECONDS):
        raise SignatureInvalid("The request was signed too long ago, or a clock is wrong. Nothing was shown or done.")
    return _agent(_unpacked(told))


def mint_link(secret: str, *, helpdesk: str, ticket: str, agent: Agent, now: datetime) -> str:
    """The word that stands behind the `#` of a link to the page of its own: for one ticket, one agent, one use, a minute."""
    content = {"helpdesk": helpdesk, "ticket": ticket, "agent": asdict(agent), "until": int(now.timestamp()) + LINK_SECONDS}
    return _seal(secret, "link", {**content, "word": secrets.token_urlsafe(16)})


def open_link(secrets_of: Mapping[str, Sequence[str]], token: str, *, now: datetime) -> Pass:
    """What a link opens; that it is used only once is for the caller to see to. `secrets_of` has each helpdesk's relay secrets.

    Raises:
        SignatureInvalid: it was not minted by the helpdesk that it names, or is too old.
    """
    content = _content(token)
    helpdesk = content.get("helpdesk")
    found = _open(secrets_of.get(helpdesk, ()) if isinstance(helpdesk, str) else (), "link", token, now=now)
    if found.until > now.timestamp() + LINK_SECONDS + WINDOW_SECONDS:
        raise _refusal()
    return found


def session(key: str, opened: Pass, *, now: datetime) -> str:
    """A session of the ticket's page: ten minutes from now on, eight hours from its beginning at the most."""
    began = int(opened.word) if opened.word.isascii() and opened.word.isdecimal() else int(now.timestamp())
    until = min(int(now.timestamp()) + SESSION_SECONDS, began + LONGEST_SESSION_SECONDS)
    content = {"helpdesk": opened.helpdesk, "ticket": opened.ticket, "agent": asdict(opened.agent), "until": until, "word": str(began)}
    return _seal(_derived(key, "panel session"), "session", content)


def open_session(keys: Sequence[str], token: str, *, now: datetime) -> Pass:
    """What a session opens.

    Raises:
        SignatureInvalid: it is not one of ours, or has ended.
    """
    return _open([_derived(key, "panel session") for key in keys], "session", token, now=now)


def seal_address(key: str, path: str, until: int) -> str:
    """The signature of an address that opens without anything else, until then."""
    return _hmac(_derived(key, "panel address"), f"{path}\n{until}")[:43]


def is_sealed(keys: Sequence[str], path: str, until: str, given: str, *, now: datetime) -> bool:
    """Whether an address was sealed by us and is still good."""
    if not (until.isascii() and until.isdecimal() and len(until) <= 12) or int(until) < now.timestamp():
        return False
    return is_one_of(given, *(seal_address(key, path, int(until)) for key in keys))


def _derived(key: str, purpose: str) -> str:
    digest = hmac.new(key.encode(), f"crossdesk {purpose}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _hmac(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _packed(content: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).decode().rstrip("=")


def _unpacked(told: str) -> dict[str, Any]:
    if len(told) > _LONGEST_WORD or not told.isascii():
        raise _refusal()
    try:
        found = json.loads(base64.b64decode(told + "=" * (-len(told) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _refusal() from None
    if not isinstance(found, dict):
        raise _refusal()
    return found


def _agent(content: Mapping[str, Any]) -> Agent:
    told = {name: content.get(name, "") for name in ("id", "name", "role", "login")}
    if not all(isinstance(value, str) and len(value) <= _LONGEST_NAME for value in told.values()):
        raise _refusal()
    if not told["id"] or told["role"] not in ROLES:
        raise _refusal()
    groups = content.get("groups", [])
    if (
        not isinstance(groups, list)
        or len(groups) > _MOST_GROUPS
        or not all(isinstance(one, str) and len(one) <= _LONGEST_NAME for one in groups)
    ):
        raise _refusal()
    name = told["name"] or told["login"] or told["id"]
    return Agent(id=told["id"], name=name, role=told["role"], login=told["login"], groups=tuple(groups))


def _seal(secret: str, purpose: str, content: Mapping[str, Any]) -> str:
    told = _packed(content)
    return f"{told}.{_sealing(secret, purpose, told)}"


def _sealing(secret: str, purpose: str, told: str) -> str:
    return _hmac(secret, f"crossdesk-{purpose}\n{told}")


def _content(token: str) -> dict[str, Any]:
    return _unpacked(token.rpartition(".")[0])


def _open(accepted: Sequence[str], purpose: str, token: str, *, now: datetime) -> Pass:
    told, _, given = token.rpartition(".")
    if not is_one_of(given, *(_sealing(secret, purpose, told) for secret in accepted)):
        raise _refusal()
    content = _unpacked(told)
    agent, until = content.get("agent"), content.get("until")
    texts = [content.get(name) for name in ("helpdesk", "ticket", "word")]
    if not isinstance(agent, dict) or not isinstance(until, int) or not all(isinstance(text, str) for text in texts):
        raise _refusal()
    if until < now.timestamp():
        raise _refusal()
    helpdesk, ticket, word = (str(text) for text in texts)
    return Pass(helpdesk=helpdesk, ticket=ticket, agent=_agent(agent), until=until, word=word)


def _refusal() -> SignatureInvalid:
    return SignatureInvalid("This link or session is not ours, was used, or has ended. Open the panel from the ticket again.")
