"""What `doctor` asks of a Request Tracker: is it there, who are we, may we do our work, is the queue prepared."""

from __future__ import annotations

from collections.abc import Callable

from plugin.contracts.platform import Probe
from plugin.domain.errors import RemoteError
from plugin.helpdesks.rt import wording
from plugin.helpdesks.rt.client import RtClient, read_object, segment
from plugin.helpdesks.rt.schema import RtSettings


def probe(client: RtClient, settings: RtSettings) -> list[Probe]:
    """Each question once; a remote fault is an answer."""
    return [
        _asked("login", lambda: _version(client), "Check url, user and password or token."),
        _asked("user", lambda: _user(client, settings), "Run seed.pl: it makes the user and gives it its rights."),
        _asked("queue", lambda: _queue(client, settings), f"Run seed.pl with {settings.queue} among CROSSDESK_QUEUES."),
        _asked("history", lambda: _history(client), "Run seed.pl for every queue that the bridge uses."),
    ]


class _NotSoError(Exception):
    """What was found, when it is not what is needed."""


def _asked(name: str, ask: Callable[[], str], next_step: str) -> Probe:
    try:
        return Probe(name=name, is_ok=True, answer=ask())
    except (RemoteError, _NotSoError) as problem:
        return Probe(name=name, is_ok=False, answer=f"{problem} {getattr(problem, 'detail', '')}".strip(), next_step=next_step)


def _version(client: RtClient) -> str:
    return f"Request Tracker {read_object(client.get('/rt')).get('Version', 'of unknown version')}"


def _user(client: RtClient, settings: RtSettings) -> str:
    user = client.find(f"/user/{segment(settings.user)}")
    if user is None:
        raise _NotSoError(f"There is no user {settings.user}.")
    if str(user.get("Privileged")) != "1":
        raise _NotSoError(f"{settings.user} is not privileged.")
    return f"{settings.user} is privileged."


def _queue(client: RtClient, settings: RtSettings) -> str:
    queue = client.find(f"/queue/{segment(settings.queue)}")
    if queue is None:
        raise _NotSoError(f"There is no queue {settings.queue} that the bridge may see.")
    there = {field.get("name") for key in ("TicketCustomFields", "TicketTransactionCustomFields") for field in queue.get(key) or ()}
    missing = sorted({*wording.TICKET_FIELDS, wording.MESSAGE_FIELD} - there)
    if missing:
        raise _NotSoError(f"The queue {settings.queue} lacks the fields {', '.join(missing)}.")
    return f"The queue {settings.queue} has all fields."


def _history(client: RtClient) -> str:
    rows = client.search("/transactions", {"query": "ObjectType='RT::Ticket'", "fields": "Type"}, newest_first=True, per_page=1)
    return f"The newest transaction is {rows[0]['id']}." if rows else "No transaction can be seen yet."
