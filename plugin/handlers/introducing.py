"""Making people known by what the platform tells of them, where its events say no more than an id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog
from sqlalchemy import Connection

from plugin.contracts.platform import DescribesContacts
from plugin.domain.errors import RemoteError
from plugin.handlers.call import Call
from plugin.handlers.installation import Channel, Installation
from plugin.handlers.results import ContactDescribed, Result
from plugin.store import timers
from plugin.store.conversations import Held

DESCRIBED = "described"
"""The timer that has the policy look once more: the first message was judged before it was known who wrote it."""
_log = structlog.get_logger("crossdesk.calls")


def introduced(channel: Channel, call: Call) -> tuple[Call, Sequence[ContactDescribed]]:
    """The call with its author as the platform describes them, and what is to be kept of it. One that does not answer keeps nobody's words waiting."""
    adapter, author, held = channel.adapter, call.author, call.held
    if author is None or call.author_id is None or not isinstance(adapter, DescribesContacts):
        return call, ()
    try:
        described = adapter.describe(author)
    except RemoteError as problem:
        _log.warning("contact_not_described", place=held.place, error=type(problem).__name__, sentence=str(problem)[:300])
        return call, ()
    if described == author:
        return call, ()
    is_theirs = call.author_id == held.contact_id
    named = replace(call, author=described, held=replace(held, contact=described) if is_theirs else held)
    return named, (ContactDescribed(contact_id=call.author_id, contact=described),)


def follow(connection: Connection, installation: Installation, held: Held, results: Sequence[Result]) -> Held:
    """The conversation after its contact was described. Runs inside a turn's transaction."""
    effects = (effect for result in results for effect in result.effects if isinstance(effect, ContactDescribed))
    described = next((effect.contact for effect in effects if effect.contact_id == held.contact_id), None)
    if described is None:
        return held
    if installation.policy is not None:
        timers.replace(connection, held.place, held.id, [(DESCRIBED, held.now)])
    return replace(held, contact=described)
