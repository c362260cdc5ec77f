"""What an installation tells its safety: where it is, what is its own, and which parts are switched on. Plain data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import regex

from plugin.policy.safety.personal_data import Lookout
from plugin.policy.safety.preflight import House
from plugin.policy.safety.thread_guard import OurSide
from plugin.policy.sections import Safety


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Everything that detection must be told once. The defaults know nothing of the installation and find what can be found without it."""

    lookout: Lookout = field(default_factory=Lookout)
    ours: OurSide = field(default_factory=OurSide)
    labels_bystanders: bool = True
    house: House = field(default_factory=House)
    """What belongs inside, for the preflight."""


def watch_by(
    safety: Safety,
    *,
    lookout: Lookout | None = None,
    agents: Collection[str] = (),
    domains: Collection[str] = (),
    helpdesk_hosts: Collection[str] = (),
) -> Watch:
    """The watch that `[policy.safety]` asks for.

    `agents` are the names of the helpdesk's agents, `domains` the company's on the web, `helpdesk_hosts` where agents reach the helpdesk.
    """
    lookout = lookout or Lookout()
    own = tuple(dict.fromkeys((*(domain.lower() for domain in safety.own_domains), *domains)))
    lookout = replace(
        lookout,
        region=safety.phone_region or lookout.region,
        own_domains=own,
        order_number=regex.compile(safety.order_number) if safety.order_number else lookout.order_number,
    )
    return Watch(
        lookout=lookout,
        ours=OurSide(handles=safety.our_handles, agents=agents, domains=own, helper_handles=safety.helpers),
        labels_bystanders=safety.label_bystanders,
        house=House(helpdesk_hosts=helpdesk_hosts, agents=agents, own_phones=safety.own_phones, lookout=lookout),
    )
