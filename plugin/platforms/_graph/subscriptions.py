"""Telling Meta where we are, and looking whether it still knows: the app's webhook, and the account's subscription to the app.

Source: Graph API, "Webhooks: /{app}/subscriptions", and Pages API, "subscribed_apps".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from plugin.contracts.platform import Connection, Probe
from plugin.contracts.reading import read_objects, read_string
from plugin.domain.errors import RemoteError, RemoteRejected
from plugin.platforms._graph.client import Graph, require_success, segment
from plugin.platforms._graph.settings import GraphSettings
from plugin.platforms._graph.values import read_id

_NONE: frozenset[str] = frozenset()


def register_app(
    graph: Graph,
    settings: GraphSettings,
    connection: Connection,
    *,
    subject: str,
    fields: Sequence[str],
    welcome: frozenset[str] = _NONE,
) -> None:
    """Set the app's address for everything about `subject` (`page`, `instagram`). Meta asks the address at once: it must answer already.

    `welcome`: those of `fields` that may be left out where Meta refuses; `probe_app` names them then.
    """
    body = {"object": subject, "callback_url": connection.webhook_url, "verify_token": settings.verify_token}

    def ask(wanted: Sequence[str]) -> None:
        path = f"/{settings.app_id}/subscriptions"
        require_success(graph.settle(path, {**body, "fields": ",".join(wanted)}, token=graph.app_token))

    _asked(ask, fields, welcome)


def subscribe(graph: Graph, owner: str, fields: Sequence[str], *, welcome: frozenset[str] = _NONE) -> None:
    """Have the account tell our app. Doing it twice is harmless; `welcome` as for `register_app`."""

    def ask(wanted: Sequence[str]) -> None:
        require_success(graph.settle(f"/{segment(owner)}/subscribed_apps", {"subscribed_fields": ",".join(wanted)}))

    _asked(ask, fields, welcome)


def _asked(ask: Callable[[Sequence[str]], None], fields: Sequence[str], welcome: frozenset[str]) -> None:
    needed = [one for one in fields if one not in welcome]
    try:
        ask(fields)
    except RemoteRejected as refusal:
        if len(needed) == len(fields) or not any(one in refusal.detail for one in ("must be one of", "nvalid field", *welcome)):
            raise
        ask(needed)


def told_address(graph: Graph, settings: GraphSettings, subject: str) -> str:
    """Where the app's webhook for `subject` leads, empty where there is none."""
    return read_string(_callback(graph, settings, subject).get("callback_url"))


def told_fields(graph: Graph, settings: GraphSettings, owner: str) -> frozenset[str]:
    """What the account tells our app of; nothing where it does not tell it anything."""
    ours = _subscribed(graph, settings, owner) or {}
    given = ours.get("subscribed_fields")
    return frozenset(one for one in given if isinstance(one, str)) if isinstance(given, list) else frozenset()


def _callback(graph: Graph, settings: GraphSettings, subject: str) -> Mapping[str, Any]:
    listed = read_objects(graph.read(f"/{settings.app_id}/subscriptions", token=graph.app_token).get("data"))
    return next((one for one in listed if one.get("object") == subject), {})


def _subscribed(graph: Graph, settings: GraphSettings, owner: str) -> Mapping[str, Any] | None:
    listed = read_objects(graph.read(f"/{segment(owner)}/subscribed_apps").get("data"))
    return next((one for one in listed if read_id(one.get("id")) in ("", settings.app_id)), None)


def probe_account(graph: Graph, account: str, fields: str) -> Probe:
    """Whether the token speaks for the account."""
    try:
        seen = graph.read(f"/{segment(account)}", {"fields": fields})
    except RemoteError as problem:
        return Probe(
            name="token", is_ok=False, answer=str(problem), next_step="Connect the account again, or enter another `access_token`."
        )
    name = next((text for one in ("name", "username", "verified_name", "display_phone_number") if (text := read_string(seen.get(one)))), "")
    is_ours = read_id(seen.get("id")) == account
    return Probe(name="token", is_ok=is_ours, answer=f"{name or 'no name'} ({read_id(seen.get('id'))})")


def probe_scopes(graph: Graph, wanted: Sequence[str]) -> Probe:
    """Whether the token has every permission; the missing ones are named."""
    try:
        missing = sorted(set(wanted) - graph.scopes())
    except RemoteError as problem:
        return Probe(name="permissions", is_ok=False, answer=str(problem), next_step="Check `app_id`, `app_secret` and the token.")
    if not missing:
        return Probe(name="permissions", is_ok=True, answer="all given")
    return Probe(
        name="permissions",
        is_ok=False,
        answer=f"missing: {', '.join(missing)}",
        next_step="Ask for them in App Review, then connect the account again with every box ticked.",
    )


def probe_app(
    graph: Graph, settings: GraphSettings, connection: Connection, *, subject: str, fields: Sequence[str], welcome: frozenset[str] = _NONE
) -> Iterator[Probe]:
    """Whether the app's webhook for `subject` leads to us and names every field; a `welcome` one that is missing is named and no fault."""
    step = "Run `crossdesk channel register` for this channel."

    def look() -> Iterator[Probe]:
        ours = _callback(graph, settings, subject)
        url = read_string(ours.get("callback_url"))
        yield Probe(
            name="webhook address",
            is_ok=url == connection.webhook_url,
            answer=url or "none",
            next_step="" if url == connection.webhook_url else step,
        )
        told = {read_string(one.get("name")) for one in read_objects(ours.get("fields"))}
        yield _fields_probe("webhook fields", told, fields, step, welcome)

    yield from _guarded("webhook address", look)


def probe_subscription(
    graph: Graph, settings: GraphSettings, owner: str, fields: Sequence[str], *, welcome: frozenset[str] = _NONE
) -> Iterator[Probe]:
    """Whether the account tells our app of every field. Meta drops the subscription after an hour of failures."""
    step = "Run `crossdesk channel register` for this channel; see that Meta can reach the webhook."

    def look() -> Iterator[Probe]:
        if _subscribed(graph, settings, owner) is None:
            yield Probe(name="subscription", is_ok=False, answer="the account does not tell our app", next_step=step)
            return
        yield _fields_probe("subscription", told_fields(graph, settings, owner), fields, step, welcome)

    yield from _guarded("subscription", look)


def _fields_probe(name: str, told: Collection[str], wanted: Sequence[str], step: str, welcome: frozenset[str]) -> Probe:
    missing = [field for field in wanted if field not in told]
    answer = f"not told of: {', '.join(missing)}" if missing else "told of everything"
    return Probe(name=name, is_ok=welcome.issuperset(missing), answer=answer, next_step=step if missing else "")


def _guarded(name: str, look: Callable[[], Iterator[Probe]]) -> Iterator[Probe]:
    try:
        yield from list(look())
    except RemoteError as problem:
        yield Probe(name=name, is_ok=False, answer=str(problem), next_step="Check `app_id` and `app_secret`, then try again.")
