"""Live checks for `doctor`: who we are, what the token may do, whether notifications are filtered, what the server is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from plugin.contracts.platform import Probe
from plugin.domain.errors import CredentialsRejected, RemoteError, RemoteRejected
from plugin.platforms.mastodon.client import Client
from plugin.platforms.mastodon.server import Server

SCOPES = ("read:accounts", "read:notifications", "read:statuses", "write:statuses", "write:media")
_RENEW = "Make an application under Preferences, Development, New application, with the scopes named in the README, and enter its token."
_ACCEPT = "In the account: Preferences, Notifications, choose Accept for everybody; or each filtered mention waits there unseen."


class _Bad(Exception):
    """A check that was answered, and not as it should be."""


def checks(client: Client, server: Server) -> Iterator[Probe]:
    """Each of them; nothing after a token that is not accepted."""
    signed_in = _tried("sign in", lambda: f"@{server.own().name}", _RENEW)
    yield signed_in
    if not signed_in.is_ok:
        return
    yield _tried("scopes", lambda: _scopes(client), _RENEW)
    yield _tried("read notifications", lambda: _notifications(client), _RENEW)
    yield _tried("notification policy", lambda: _policy(client), _ACCEPT)
    yield _tried("server", lambda: _instance(server), "Check `url`: it must be the server on which the account lives.")


def missing_scopes(granted: list[str]) -> list[str]:
    """Which of the needed scopes are not covered; `read` covers all that begin with it."""
    return [scope for scope in SCOPES if scope not in granted and scope.partition(":")[0] not in granted]


def _scopes(client: Client) -> str:
    try:
        told = (client.find("app_verify_credentials") or {}).get("scopes")
    except CredentialsRejected:
        # The token was just accepted: it is of a kind that belongs to no application.
        told = None
    if not isinstance(told, list):
        return "the server does not tell; what the other checks try is what counts"
    if missing := missing_scopes([scope for scope in told if isinstance(scope, str)]):
        raise _Bad(f"missing: {', '.join(missing)}")
    return "all that are needed"


def _notifications(client: Client) -> str:
    page = client.page("notifications", types=["mention"], limit=1)
    return "there are mentions" if page else "no mentions yet"


def _policy(client: Client) -> str:
    policy = client.find("notifications_policy")
    if policy is None:
        return "the server filters no notifications"
    filtered = sorted(
        name.partition("_")[2].replace("_", " ")
        for name, value in policy.items()
        if (name.startswith("for_") and value in {"filter", "drop"}) or (name.startswith("filter_") and value is True)
    )
    if filtered:
        raise _Bad(f"mentions are kept back from: {', '.join(filtered)}")
    return "everybody's mentions arrive"


def _instance(server: Server) -> str:
    instance = server.instance()
    return f"{instance.domain}: {instance.text_length} characters, {instance.files} files"


def _tried(name: str, ask: Callable[[], str], next_step: str) -> Probe:
    try:
        return Probe(name=name, is_ok=True, answer=ask())
    except _Bad as bad:
        return Probe(name=name, is_ok=False, answer=str(bad), next_step=next_step)
    except (CredentialsRejected, RemoteRejected) as problem:
        return Probe(name=name, is_ok=False, answer=f"{problem}", next_step=next_step)
    except RemoteError as problem:
        step = "Wait, then test again." if problem.retryable else next_step
        return Probe(name=name, is_ok=False, answer=f"{problem} {problem.detail}".strip(), next_step=step)
