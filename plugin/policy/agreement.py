"""The crossover contract as the policy file words it. Pure."""

from __future__ import annotations

from plugin.policy.contract import Contract
from plugin.policy.policy import Policy
from plugin.policy.sections import FormalTicket, PrivatePage


def contract_of(policy: Policy) -> Contract:
    """What the machine goes by, out of the policy's sections."""
    handoff, confirmation, expectations, follow_up = policy.handoff, policy.confirmation, policy.expectations, policy.follow_up
    return Contract(
        group=handoff.group,
        sla=handoff.sla,
        required_fields=handoff.required_fields,
        is_linked=handoff.ticket is FormalTicket.LINKED,
        pointer_period=handoff.pointer_once_in,
        longest_postponement=handoff.postpone_at_most,
        offer_waits=handoff.offer_waits,
        answers_status=expectations.answers_status,
        status_period=expectations.status_once_in,
        silence=confirmation.silence_after,
        reminder=confirmation.remind_after,
        confirms_quick=confirmation.social,
        asks_score=confirmation.csat,
        bad_score=confirmation.bad_score,
        closing_needs_reason=confirmation.closing_needs_reason,
        bad_score_group=follow_up.bad_score_group,
        bad_score_priority=follow_up.bad_score_priority,
        ask_after=confirmation.ask_after,
        score_waits=confirmation.csat_waits,
        reopens_within=follow_up.reopens_within,
        page_open_for=handoff.page_open_for if handoff.private_page is not PrivatePage.NEVER else None,
        prefers_page=handoff.private_page is PrivatePage.ALWAYS,
    )
