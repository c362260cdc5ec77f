"""Making people known to the helpdesk by their names, where the platform's events say no more than an id. Calls the platform, keeps nothing."""

from __future__ import annotations

from dataclasses import replace

import structlog

from plugin.contracts.platform import DescribesContacts
from plugin.domain.errors import RemoteError
from plugin.handlers.call import Call
from plugin.handlers.installation import Channel

_log = structlog.get_logger("crossdesk.calls")


def introduced(channel: Channel, call: Call) -> Call:
    """The call with its author as the platform describes them. One that does not answer keeps nobody's words waiting."""
    adapter, author, held = channel.adapter, call.author, call.held
    if author is None or not isinstance(adapter, DescribesContacts):
        return call
    try:
        described = adapter.describe(author)
    except RemoteError as problem:
        _log.warning("contact_not_described", place=held.place, error=type(problem).__name__, sentence=str(problem)[:300])
        return call
    is_theirs = held.contact is not None and held.contact.ref == described.ref
    return replace(call, author=described, held=replace(held, contact=described) if is_theirs else held)
