"""What an installation tells its safety: where it is, what is its own, and which parts are switched on. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from plugin.policy.safety.personal_data import Lookout
from plugin.policy.safety.thread_guard import OurSide


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Everything that detection must be told once. The defaults know nothing of the installation and find what can be found without it."""

    lookout: Lookout = field(default_factory=Lookout)
    ours: OurSide = field(default_factory=OurSide)
    labels_bystanders: bool = True
