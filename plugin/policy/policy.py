"""The policy as a whole: a `Judge` made of compiled rules, and the sections that the engine goes by. Pure and immutable; safe between threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from plugin.domain.model import Stage
from plugin.policy import teams
from plugin.policy.facts import Facts
from plugin.policy.hours import Hours, always
from plugin.policy.matching import Matcher
from plugin.policy.ruling import Rule, ToApprove, ToCross, ToFilter, ToRoute
from plugin.policy.sections import Basics, Confirmation, Expectations, Fairness, FollowUp, Handoff, Locks, Parked, People, Safety, Taking
from plugin.policy.teams import SlaTable, Team
from plugin.policy.texts import Texts
from plugin.policy.verdicts import ApprovalNeeded, Broken, Crossover, Filtered, Participation, Routing, Targets

_CAREFUL = (Participation.MONITOR, Participation.STEP_IN, Participation.ANSWER)
_LEAST_PATIENCE = timedelta(minutes=1)
_MARGIN = timedelta(minutes=5)
_ASKS = MappingProxyType({"conversation.tags": frozenset({"tag", "agent_request"}), "agent.groups": frozenset({"agent_group"})})
"""Facts that cost a call to the helpdesk, with the built-in conditions that look at them."""
_NOBODY = Team(name="", hours=always(ZoneInfo("UTC")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one rule said, for `crossdesk policy explain`. `reason` is empty where it did not fire."""

    kind: str
    rule: str
    reason: str = ""
    problem: str = ""


@dataclass(frozen=True, kw_only=True, repr=False)
class Policy:
    """The whole policy, compiled; a `Judge`. The defaults are those of a file without `[policy]`: nothing is filtered, nothing crosses over."""

    digest: str = "none"
    basics: Basics = field(default_factory=Basics)
    people: People = field(default_factory=People)
    participation: Taking = field(default_factory=Taking)
    expectations: Expectations = field(default_factory=Expectations)
    handoff: Handoff = field(default_factory=Handoff)
    locks: Locks = field(default_factory=Locks)
    parked: Parked = field(default_factory=Parked)
    fairness: Fairness = field(default_factory=Fairness)
    safety: Safety = field(default_factory=Safety)
    confirmation: Confirmation = field(default_factory=Confirmation)
    follow_up: FollowUp = field(default_factory=FollowUp)
    texts: Texts = field(default_factory=Texts.shipped)
    teams: Mapping[str, Team] = field(default_factory=lambda: MappingProxyType({}))
    slas: Mapping[str, SlaTable] = field(default_factory=lambda: MappingProxyType({}))
    topics: Mapping[str, Matcher] = field(default_factory=lambda: MappingProxyType({}))
    noise_rules: tuple[Rule[ToFilter], ...] = ()
    routing_rules: tuple[Rule[ToRoute], ...] = ()
    crossover_rules: tuple[Rule[ToCross], ...] = ()
    approval_rules: tuple[Rule[ToApprove], ...] = ()

    def __repr__(self) -> str:
        return f"Policy({self.basics.name!r}, {self.digest})"

    @property
    def rules(self) -> Iterator[Rule[Any]]:
        """Every rule, in the order of judging."""
        yield from self.noise_rules
        yield from self.routing_rules
        yield from self.crossover_rules
        yield from self.approval_rules

    def looks_at(self, fact: str) -> bool:
        """Whether any rule asks for a fact, by its name, so that it is worth a call to find out."""
        if fact == "agent.groups" and self.people.trainee_groups:
            return True
        built_in = _ASKS.get(fact, frozenset())
        return any(
            rule.head.when in built_in or (rule.head.expression is not None and fact in rule.head.expression.uses) for rule in self.rules
        )

    def filter(self, facts: Facts) -> Filtered | Broken | None:
        """Whether a message is noise: the first rule that fires."""
        for rule in self.noise_rules:
            said = rule.judge(facts)
            if said is not None:
                return said if isinstance(said, Broken) else Filtered(rule=rule.name, reason=said)
        return None

    def route(self, facts: Facts) -> tuple[Routing, Sequence[Broken]]:
        """Where a ticket goes. The first rule that wishes for something gets it; tags and fields add up."""
        broken, fired = [], []
        for rule in self.routing_rules:
            said = rule.judge(facts)
            if isinstance(said, Broken):
                broken.append(said)
            elif said is not None:
                fired.append(rule)
        if not fired:
            return Routing(participation=self._participation(facts)), tuple(broken)
        wishes = [rule.outcome for rule in fired]
        participation = next((wish.participation for wish in wishes if wish.participation is not None), None)
        decisive = [rule.name for rule in fired if rule.outcome.group or rule.outcome.owner or rule.outcome.owners]
        assigns = next((wish for wish in wishes if wish.owner or wish.owners), None)
        return Routing(
            rules=(*decisive, *(rule.name for rule in fired if rule.name not in decisive)),
            group=next((wish.group for wish in wishes if wish.group), ""),
            owner=assigns.owner if assigns else "",
            owners=assigns.owners if assigns else (),
            capacity=assigns.capacity if assigns else 0,
            priority=next((wish.priority for wish in wishes if wish.priority), ""),
            tags=tuple(dict.fromkeys(tag for wish in wishes for tag in wish.tags)),
            fields=tuple(({name: value for wish in reversed(wishes) for name, value in wish.fields}).items()),
            sla=next((wish.sla for wish in wishes if wish.sla), ""),
            participation=participation or self._participation(facts),
            overtakes=next((rule.name for rule in fired if rule.outcome.overtakes), ""),
        ), tuple(broken)

    def crossover(self, facts: Facts) -> Crossover | Broken | None:
        """Whether a conversation must become formal now: the first rule that fires. A formal one does not become formal again."""
        if facts.conversation.stage is not Stage.SOCIAL:
            return None
        for rule in self.crossover_rules:
            said = rule.judge(facts)
            if said is not None:
                wish = rule.outcome
                return (
                    said
                    if isinstance(said, Broken)
                    else Crossover(
                        rule=rule.name,
                        reason=said,
                        move=wish.move,
                        group=wish.group or self.handoff.group,
                        priority=wish.priority,
                        sla=wish.sla or self.handoff.sla,
                        ticket_type=wish.ticket_type,
                    )
                )
        return None

    def approval(self, facts: Facts) -> ApprovalNeeded | Broken | None:
        """Whether the reply in `facts.message` needs a second person, and for how long the customer can wait for it."""
        for rule in self.approval_rules:
            said = rule.judge(facts)
            if said is not None:
                wish = rule.outcome
                return (
                    said
                    if isinstance(said, Broken)
                    else ApprovalNeeded(
                        rule=rule.name,
                        reason=said,
                        approvers=wish.approvers,
                        within=self._patience(facts, wish.within),
                        needs_four_eyes=wish.four_eyes,
                        holding_line=wish.holding_line,
                    )
                )
        return None

    def targets(
        self, facts: Facts, *, sla: str, opened_at: datetime, unanswered_since: datetime | None, rested: timedelta = timedelta()
    ) -> Targets | None:
        """The moments of the SLA named `sla`, or of the policy's own; None where there is none of that name."""
        name = sla or self.basics.sla
        if name not in self.slas:
            return None
        return teams.targets(
            name,
            self.slas[name],
            self.hours_of(facts, sla=sla),
            visibility=facts.conversation.visibility,
            is_answered=facts.conversation.agent_replies > 0,
            opened_at=opened_at,
            unanswered_since=unanswered_since,
            rested=rested,
        )

    def hours_of(self, facts: Facts, *, sla: str) -> Hours:
        """The hours in which the clocks of the SLA named `sla`, or of the policy's own, run."""
        table = self.slas.get(sla or self.basics.sla)
        return (self.teams[table.team] if table is not None and table.team in self.teams else self.team(facts)).hours

    def team(self, facts: Facts) -> Team:
        """Who answers: by the ticket's group, the channel, the channel's group, then the policy's own; a team that never sleeps if there is none."""
        return self.team_of(group=facts.conversation.group, channel=facts.channel.key, channel_group=facts.channel.group)

    def team_of(self, *, group: str = "", channel: str = "", channel_group: str = "") -> Team:
        """The same, for gathering the facts of the clock."""
        found = (
            next((team for team in self.teams.values() if group and group in team.groups), None)
            or next((team for team in self.teams.values() if channel and channel in team.channels), None)
            or next((team for team in self.teams.values() if channel_group and channel_group in team.groups), None)
        )
        if found is None and len(self.teams) == 1:
            found = next(iter(self.teams.values()))
        return found or self.teams.get(self.basics.team, _NOBODY)

    def topics_in(self, text: str) -> tuple[str, ...]:
        """The names of the policy's topics whose words are in `text`."""
        return tuple(name for name, matcher in self.topics.items() if matcher.first(text))

    def next_step_by(self, team: Team, now: datetime) -> datetime | None:
        """By when a customer whose conversation crosses over now is promised the next step."""
        return team.hours.add(now, self.handoff.next_step)

    def next_approvers(self, rule: str) -> str:
        """The group that is asked when the approvers of `rule` did not answer in time; empty for none."""
        return next((each.outcome.next_approvers for each in self.approval_rules if each.name == rule), "")

    def explain(self, facts: Facts) -> Iterator[Judged]:
        """What every single rule says of `facts`, fired or not, in the order of judging."""
        kinds: tuple[tuple[str, Sequence[Rule[Any]]], ...] = (
            ("noise", self.noise_rules),
            ("routing", self.routing_rules),
            ("crossover", self.crossover_rules),
            ("approval", self.approval_rules),
        )
        for kind, found in kinds:
            for rule in found:
                said = rule.judge(facts)
                if isinstance(said, Broken):
                    yield Judged(kind=kind, rule=rule.name, problem=said.problem)
                else:
                    yield Judged(kind=kind, rule=rule.name, reason=said or "")

    def _participation(self, facts: Facts) -> Participation:
        by_topic = dict(self.participation.topic)
        found = [by_topic[topic] for topic in facts.message.topics if topic in by_topic]
        if found:
            return min(found, key=_CAREFUL.index)
        return dict(self.participation.channel).get(facts.channel.key, self.participation.default)

    def _patience(self, facts: Facts, longest: timedelta) -> timedelta:
        """How long an approval may take: until the reply window or the SLA's next moment ends, less a margin; never nothing at all."""
        now, talk = facts.clock.now, facts.conversation
        limits = [longest]
        if talk.window_minutes_left is not None:
            limits.append(timedelta(minutes=talk.window_minutes_left) - _MARGIN)
        if talk.minutes_unanswered is not None:
            due = self.targets(
                facts,
                sla=self.route(facts)[0].sla,
                opened_at=now - timedelta(minutes=talk.minutes_open),
                unanswered_since=now - timedelta(minutes=talk.minutes_unanswered),
            )
            limits += [moment - now - _MARGIN for moment in (due.first_reply_by, due.next_reply_by) if moment is not None] if due else []
        return max(min(limits), min(longest, _LEAST_PATIENCE))
