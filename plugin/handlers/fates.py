"""One table: what each error means for the intent that met it, for its place, and for the agent."""

from __future__ import annotations

import random
from dataclasses import dataclass

from plugin.config import EngineConfig
from plugin.contracts.capabilities import Capabilities, Idempotency
from plugin.domain.errors import (
    BillingStopped,
    CredentialsRejected,
    CrossdeskError,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
    Unsupported,
    WindowClosed,
)
from plugin.domain.ids import Place
from plugin.domain.model import HeldReason, Lane, Visibility
from plugin.handlers.results import Effect, Noted, PlaceBlocked, PlaceStopped, Result, TicketLost
from plugin.store.intents import Ending

_FAULTS_BEFORE_ASIDE = 8
REPEATABLE = frozenset({Lane.FROM_HELPDESK, Lane.FROM_SOCIAL, Lane.AT_SOCIAL, Lane.AT_HELPDESK})
"""Lanes in which asking again is harmless: they only read, or set what is set already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """The try that failed: which intent, at which place, how often before."""

    intent_id: int
    event_id: int
    part: int
    lane: Lane
    op: str
    call: str
    place: Place
    attempts: int
    errors: int
    failures: int
    capabilities: Capabilities
    visibility: Visibility
    was_read_back: bool = False


def back_off(engine: EngineConfig, attempts: int) -> float:
    """Seconds until the next try: doubling with full jitter, never nothing, never above the cap."""
    ceiling = min(engine.backoff_cap, engine.backoff_base * 2.0 ** min(attempts, 20))
    return ceiling * (0.25 + 0.75 * random.random())  # noqa: S311


def settle_seconds(engine: EngineConfig, capabilities: Capabilities, visibility: Visibility) -> float:
    """How long a request may still be applied after we stopped waiting for it."""
    if engine.settle_seconds is not None:
        return engine.settle_seconds
    return capabilities.limits.max_lifetime + capabilities.lag_of(visibility)


def fate(engine: EngineConfig, tried: Try, error: Exception) -> Result:
    """What to do after `error`."""
    match error:
        case RateLimited():
            seconds = error.retry_after if error.retry_after is not None else back_off(engine, tried.failures + 3)
            return _held(tried, error, HeldReason.RATE, seconds)
        case RemoteUnavailable():
            return _held(tried, error, HeldReason.OUTAGE, back_off(engine, min(tried.failures, 5)))
        case CredentialsRejected():
            return _stopped(tried, error, "reauth")
        case BillingStopped():
            return _stopped(tried, error, "billing")
        case OutcomeUnknown():
            return _unknown(engine, tried, error)
        case TargetGone() if tried.lane is Lane.TO_HELPDESK:
            ending = _ending(tried, error, state="pending", due_in=0.0)
            return _result(tried, ending, TicketLost())
        case WindowClosed() if tried.op == "reply":
            # The gate parks it: it knows from the reason that the platform's own word goes before our reckoning.
            return _result(tried, _ending(tried, error, state="pending", due_in=0.0, reason=HeldReason.WINDOW))
        case WindowClosed() | RemoteRejected() | Unsupported():
            return _refused(tried, error)
        case _:
            return _fault(engine, tried, error)


def _ending(tried: Try, error: Exception, *, state: str, due_in: float | None, reason: str = "", is_fault: bool = False) -> Ending:
    code = error.code if isinstance(error, CrossdeskError) else type(error).__name__
    detail = error.detail if isinstance(error, CrossdeskError) else ""
    return Ending(
        intent_id=tried.intent_id,
        state=state,
        outcome=code,
        call=tried.call,
        detail=detail,
        reason=reason or code,
        reason_text=str(error),
        due_in=due_in,
        is_fault=is_fault,
    )


def _result(tried: Try, ending: Ending, *effects: Effect) -> Result:
    return Result(
        intent_id=tried.intent_id,
        event_id=tried.event_id,
        part=tried.part,
        lane=tried.lane,
        ending=ending,
        effects=effects,
        stops_lane=True,
    )


def _waiting_state(tried: Try, reason: HeldReason) -> str:
    # A read-back that could not be asked leaves the question open.
    if tried.was_read_back:
        return "unknown"
    return "held" if reason in {HeldReason.RATE, HeldReason.AUTH} else "pending"


def _held(tried: Try, error: Exception, reason: HeldReason, seconds: float) -> Result:
    ending = _ending(tried, error, state=_waiting_state(tried, reason), due_in=seconds, reason=reason)
    return _result(tried, ending, PlaceBlocked(place=tried.place, reason=reason, seconds=seconds))


def _stopped(tried: Try, error: Exception, status: str) -> Result:
    ending = _ending(tried, error, state=_waiting_state(tried, HeldReason.AUTH), due_in=None, reason=HeldReason.AUTH)
    return _result(tried, ending, PlaceStopped(place=tried.place, status=status, text=str(error)))


def _unknown(engine: EngineConfig, tried: Try, error: Exception) -> Result:
    if tried.lane in REPEATABLE or tried.call == "change" or tried.capabilities.idempotency_of(tried.visibility) is not Idempotency.NONE:
        # Asking again is harmless, or the other side knows our key.
        ending = _ending(tried, error, state="pending", due_in=back_off(engine, tried.attempts))
    else:
        settle = settle_seconds(engine, tried.capabilities, tried.visibility)
        ending = Ending(
            intent_id=tried.intent_id,
            state="unknown",
            outcome="outcome_unknown",
            call=tried.call,
            detail=getattr(error, "detail", ""),
            reason="outcome_unknown",
            reason_text=str(error),
            due_in=0.0,
            settle_in=settle,
        )
    return _result(tried, ending)


def _refused(tried: Try, error: Exception) -> Result:
    if tried.lane is Lane.AT_HELPDESK:
        # How things stand is told in notes, too; what the helpdesk does not let us show there is only kept in the ledger.
        return _result(tried, _ending(tried, error, state="failed", due_in=None))
    if tried.lane is Lane.TO_HELPDESK:
        # A customer's message is never dropped: it is set aside for a person, and its conversation goes on.
        aside = _ending(tried, error, state="quarantined", due_in=None)
        if tried.call != "change":
            return _result(tried, aside)
        changed = f"The ticket could not be changed as the policy wants it: {error} Change it by hand; the admin sees it in `crossdesk ledger quarantine list`."
        return _result(tried, aside, Noted(name=f"unchanged:{tried.op}", text=changed))
    ending = _ending(tried, error, state="failed", due_in=None)
    told = {"hide": f"Not done: {error}", "template": f"The template was not sent: {error}"}
    name = "failed" if not tried.attempts else f"failed:{tried.attempts}"  # It may have been sent again by a press.
    note = Noted(name=name, text=told.get(tried.op, f"Not delivered: {error} The reply stays in this ticket."))
    return _result(tried, ending, note)


def _fault(engine: EngineConfig, tried: Try, error: Exception) -> Result:
    """Our own fault, or an answer nobody foresaw: it may have been applied, so it is read back like any unclear outcome."""
    if tried.errors + 1 >= _FAULTS_BEFORE_ASIDE:
        return _result(tried, _ending(tried, error, state="quarantined", due_in=None, is_fault=True))
    unclear = OutcomeUnknown(f"An unforeseen fault ({type(error).__name__}) came up; the outcome is read back.", detail=str(error)[:500])
    result = _unknown(engine, tried, unclear)
    ending = Ending(
        intent_id=result.ending.intent_id,
        state=result.ending.state,
        outcome=type(error).__name__,
        call=tried.call,
        detail=str(error)[:500],
        reason="fault",
        reason_text=result.ending.reason_text,
        due_in=result.ending.due_in if result.ending.state == "unknown" else back_off(engine, tried.errors),
        settle_in=result.ending.settle_in,
        is_fault=True,
    )
    return _result(tried, ending)
