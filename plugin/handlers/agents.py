"""Who did something, as locks and approvals know agents: by the helpdesk's own key where it tells one, and by name."""

from __future__ import annotations

from plugin.domain.events import ActionTaken, ArticleAdded
from plugin.policy.locks import Agent


def author(event: ArticleAdded) -> Agent:
    """Who wrote a reply."""
    return Agent(ref=event.agent_ref, name=event.agent_name)


def presser(event: ActionTaken) -> Agent:
    """Who pressed; `login`, `agent_ref` or `agent_id` among the arguments is the helpdesk's own key, the first that is there."""
    named = dict(event.arguments)
    return Agent(ref=named.get("login") or named.get("agent_ref") or named.get("agent_id", ""), name=event.actor)


def groups(event: ActionTaken) -> set[str]:
    """The helpdesk's groups of whoever pressed."""
    return {group.strip() for group in dict(event.arguments).get("groups", "").split(",")} - {""}
