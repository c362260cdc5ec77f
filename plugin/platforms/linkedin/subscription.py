"""The page's webhook: asking LinkedIn to tell us, looking whether it still does, and asking again before that ends. Knows no payload.

A subscription belongs to the person who signed in: it goes without a word when the person loses the role or takes the grant back.
Source: LinkedIn Marketing API, "Organization Social Action Notifications" (Event Subscription API).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from plugin.contracts.platform import Probe
from plugin.contracts.reading import read_string
from plugin.domain.errors import RemoteError, TargetGone, Unsupported
from plugin.platforms.linkedin.client import Client
from plugin.platforms.linkedin.comments import read_millis
from plugin.platforms.linkedin.notices import KIND
from plugin.platforms.linkedin.urns import encoded

_SOON = timedelta(days=7)
_STEP = "Run `crossdesk channel register` for this channel."


def register(client: Client, url: str) -> None:
    """Have LinkedIn tell `url`. Doing it twice is harmless.

    Raises:
        Unsupported: the settings do not say which app is told.
        RemoteError: any of its kinds.
    """
    if not client.settings.application_id:
        raise Unsupported(
            "LinkedIn's webhooks need `application_id` in this channel's settings. Nothing was registered; without it the page is polled, and "
            "nothing is lost."
        )
    client.write("PUT", _key(client), {"webhook": url}, about_page=True)


def renew(client: Client, url: str, now: datetime) -> str | None:
    """Ask once more where LinkedIn tells us now and will soon stop to.

    Returns why it tells us nothing, in a sentence; empty where it does, None where it does not say.
    """
    try:
        told, ends_at = _look(client)
        if told == url and ends_at is not None and ends_at - now < _SOON:
            register(client, url)
            return ""
    except RemoteError:
        return None
    if told == url:
        return ""
    return f"LinkedIn tells {'another address' if told else 'nobody'} of what happens on the page; the polls bring it later."


def probe(client: Client, url: str, now: datetime) -> Probe:
    """Whether LinkedIn tells us, and until when."""
    name = "webhook"
    if not client.settings.application_id:
        return Probe(name=name, is_ok=True, answer="none: the page is polled (`application_id` is not set)")
    try:
        told, ends_at = _look(client)
    except RemoteError as problem:
        return Probe(name=name, is_ok=False, answer=str(problem), next_step=_STEP)
    if told != url:
        return Probe(name=name, is_ok=False, answer=told or "none", next_step=_STEP)
    until = f", until {ends_at:%Y-%m-%d}" if ends_at is not None else ""
    is_ok = ends_at is None or ends_at > now
    return Probe(name=name, is_ok=is_ok, answer=told + until, next_step="" if is_ok else _STEP)


def _look(client: Client) -> tuple[str, datetime | None]:
    try:
        found = client.read(_key(client))
    except TargetGone:
        return "", None
    return read_string(found.get("webhook")), read_millis(found.get("expiresAt"))


def _key(client: Client) -> str:
    settings = client.settings
    _, person = client.own_role()
    app = encoded(f"urn:li:developerApplication:{settings.application_id}")
    return (
        f"eventSubscriptions/(developerApplication:{app},user:{encoded(person)},entity:{encoded(settings.organization)},eventType:{KIND})"
    )
