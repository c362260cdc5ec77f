"""What `doctor` asks of a Request Tracker: is it there, who are we, may we do our work, is the queue prepared."""

from __future__ import annotations

from collections.abc import Callable

from plugin.contracts.platform import Probe
from plugin.domain.errors import RemoteError
from plugin.helpdesks.rt import advisories, wording
from plugin.helpdesks.rt.client import RtClient, read_object, segment
from plugin.helpdesks.rt.schema import RtSettings


def probe(client: RtClient, settings: RtSettings) -> list[Probe]:
    """Each question once; a remote fault is an answer."""
    return [
        _asked("login", lambda: _version(client), "Check url, user and password or token."),
        *_weaknesses(client),
        _asked("user", lambda: _user(client, settings), "Run seed.pl: it makes the user and gives it its rights."),
        _asked("queue", lambda: _queue(client, settings), f"Run seed.pl with {settings.queue} among CROSSDESK_QUEUES."),
        *(
            [_asked("extension", lambda: _extension(client), "Install RT-Extension-Crossdesk as its README says.")]
            if settings.extension
            else []
        ),
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
    return f"Request Tracker {_number(client)}"


def _number(client: RtClient) -> str:
    return str(read_object(client.get("/rt")).get("Version") or "of unknown version")


def _weaknesses(client: RtClient) -> list[Probe]:
    """Strangers' words go through this server: a known hole in it is the admin's business, and ours to name."""
    name = "known weaknesses"
    try:
        number = _number(client)
    except RemoteError:
        return []  # "login" tells why
    found = advisories.known_for(number)
    if not found:
        return [Probe(name=name, is_ok=True, answer=f"none known for {number}, as of {advisories.CHECKED}")]
    named = "; ".join(f"{entry['id']}: {entry['summary']} {entry['source']}" for entry in found)
    if advisories.is_packaged(number):
        # Debian's 5.0.3 has most of these mended: a warning that nobody could ever silence would only be overlooked.
        ids = ", ".join(entry["id"] for entry in found)
        where = "https://security-tracker.debian.org/tracker/source-package/request-tracker5"
        return [Probe(name=name, is_ok=True, answer=f"{number} is a distribution's; see {where} which of these it has mended: {ids}")]
    step = "Update RT to the newest release of its line; https://docs.bestpractical.com/release-notes/rt/ names them."
    return [Probe(name=name, is_ok=False, answer=f"{len(found)} in {number}: {named}", next_step=step)]


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


def _extension(client: RtClient) -> str:
    about = client.find("/crossdesk")
    if about is None:
        raise _NotSoError("RT-Extension-Crossdesk does not answer in RT.")
    if not about.get("IsBridge"):
        raise _NotSoError("$CrossdeskUser in RT's settings is another user than ours.")
    told = "tells us of changes" if about.get("HasWebhook") else "has no web hook, so we poll"
    return f"RT-Extension-Crossdesk {about.get('Version', 'of unknown version')} {told}."


def _history(client: RtClient) -> str:
    rows = client.search("/transactions", {"query": "ObjectType='RT::Ticket'", "fields": "Type"}, newest_first=True, per_page=1)
    return f"The newest transaction is {rows[0]['id']}." if rows else "No transaction can be seen yet."
