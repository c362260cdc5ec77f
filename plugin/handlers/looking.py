"""Looking at a ticket: its articles and its data as events, since a helpdesk's web hook is a sign to look and no more. No database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from plugin.contracts.helpdesk import HelpdeskAdapter, NamesPresser, TellsGroups, TellsTags
from plugin.domain.events import ArticleAdded, HelpdeskEvent, Presser, TicketChanged
from plugin.domain.model import TicketState
from plugin.handlers import wording
from plugin.handlers.call import Call
from plugin.handlers.gathering import TAGS
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.outcomes import applied
from plugin.handlers.results import Effect, Looked, Noted, Result


def look(policy: PolicyAtWork | None, desk: HelpdeskAdapter, call: Call) -> Result:
    """What was said and changed in the ticket since it was looked at last, as events."""
    held = call.held
    assert held.ticket_ref is not None, "the turn looks only where there is a ticket"
    state = desk.follow_merge(held.ticket_ref)
    if state.live_ref is None:
        gone = TicketChanged(
            event_key=f"gone:{held.ticket_ref}",
            occurred_at=None,
            ticket_ref=held.ticket_ref,
            state=state.state,
            is_closed=True,
            owner=state.owner,
            group=state.group,
            is_deleted=True,
        )
        return applied(call, held.ticket_ref, [Looked(events=(gone,), article_cursor=None)], was_found=False)
    is_merged = state.live_ref != held.ticket_ref
    articles = desk.list_articles_since(state.live_ref, None if is_merged else cast(Any, held.article_cursor))
    told = _fields(policy, desk, state)
    articles = _with_groups(policy, desk, articles)
    changed = TicketChanged(
        event_key=f"state:{call.intent.marker}",
        occurred_at=None,
        ticket_ref=held.ticket_ref,
        state=state.state,
        is_closed=state.is_closed,
        owner=state.owner,
        group=state.group,
        merged_into=state.live_ref if is_merged else None,
        fields=told,
        answering=state.answering,
        presser=_presser(desk, state),
    )
    known = (held.ticket_owner, held.ticket_group, dict(held.ticket_fields))
    has_new_data = policy is not None and ((state.owner, state.group, dict(told)) != known or bool(state.answering) or held.lock.is_found)
    effects: list[Effect] = []
    if is_merged:
        # What stood in the other ticket was not written to this customer: it is taken note of, and never sent.
        articles = [replace(article, is_reply=False) for article in articles]
        effects.append(Noted(name="merged", text=wording.MERGED))
    is_asked = any(name == "action" and value for name, value in state.fields)
    is_news = is_merged or is_asked or has_new_data or state.is_closed != held.ticket_closed
    found: tuple[HelpdeskEvent, ...] = (changed, *articles) if is_news else tuple(articles)
    newest = max(articles, key=lambda article: article.occurred_at or call.intent.created_at, default=None)
    cursor = None if newest is None else newest.article_ref
    return applied(call, state.live_ref, [Looked(events=found, article_cursor=cursor), *effects], was_found=False)


def _fields(policy: PolicyAtWork | None, desk: HelpdeskAdapter, state: TicketState) -> tuple[tuple[str, str], ...]:
    """The ticket's fields, and its tags among them where the policy looks at those."""
    if policy is None or state.live_ref is None or not isinstance(desk, TellsTags) or not policy.book.looks_at("conversation.tags"):
        return state.fields
    return (*state.fields, (TAGS, "\n".join(sorted(desk.tags_of(state.live_ref)))))


def _with_groups(policy: PolicyAtWork | None, desk: HelpdeskAdapter, articles: Sequence[ArticleAdded]) -> Sequence[ArticleAdded]:
    """Replies with the groups of who wrote them, where the policy looks at those."""
    if policy is None or not isinstance(desk, TellsGroups) or not policy.book.looks_at("agent.groups"):
        return articles
    writers = {article.agent_ref for article in articles if article.is_reply and article.agent_ref}
    groups = {ref: tuple(desk.groups_of(ref)) for ref in writers}
    return [replace(article, agent_groups=groups.get(article.agent_ref, ())) for article in articles]


def _presser(desk: HelpdeskAdapter, state: TicketState) -> Presser | None:
    """Who filled the ticket's command slot, if it is filled and the helpdesk tells."""
    action = next((value for name, value in state.fields if name == "action"), "")
    if not action or not isinstance(desk, NamesPresser) or state.live_ref is None:
        return None
    return desk.who_pressed(state.live_ref, action)
