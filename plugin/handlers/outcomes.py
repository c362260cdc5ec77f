"""What became of a call that was answered, as results."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.domain.ids import ArticleRef, MessageRef, Place
from plugin.handlers.call import Call
from plugin.handlers.results import Effect, Known, Noted, PlaceAnswered, Result
from plugin.store.intents import Ending


def known(call: Call, place: Place, ref: MessageRef | ArticleRef) -> Effect:
    """A place knows the wish's message as `ref`."""
    return Known(place=place, message_id=call.intent.message_id, ref=ref, part=call.intent.part)


def applied(call: Call, remote_ref: str, effects: Sequence[Effect], *, losses: Sequence[str] = (), was_found: bool) -> Result:
    """It is done, now or (`was_found`) by an earlier try. `losses` are sentences for the agent on what was not taken."""
    told: list[Effect] = [Noted(name="losses", text="Delivered, but not everything was taken: " + " ".join(losses))] if losses else []
    return Result(
        intent_id=call.intent.id,
        event_id=call.intent.event_id,
        part=call.intent.part,
        lane=call.intent.lane,
        ending=Ending(
            intent_id=call.intent.id, state="sent", outcome="found" if was_found else "applied", call=call.call, remote_ref=remote_ref
        ),
        had_files=bool(call.files),
        effects=(*effects, *told, *((PlaceAnswered(place=call.place),) if call.failures else ())),
    )


def absent(call: Call) -> Result:
    """It was looked for and is surely not there: it is asked again."""
    return Result(
        intent_id=call.intent.id,
        event_id=call.intent.event_id,
        part=call.intent.part,
        lane=call.intent.lane,
        ending=Ending(intent_id=call.intent.id, state="pending", outcome="absent", call=call.call, due_in=0.0),
    )
