"""Setting up a helpdesk by command: what would be made, making it, trying it, and taking it away again.

Optional for a helpdesk adapter (`Provisionable`). The rights that setting up needs are not those that the bridge needs every day, so the
token for it is handed in apart and is never stored by us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from plugin.contracts.platform import Probe


class StepState(StrEnum):
    """How one object on the server stands to what is wanted."""

    MISSING = "missing"
    """Not there; applying makes it."""
    SAME = "same"
    """There as wanted, whoever made it; nothing is done."""
    OUTDATED = "outdated"
    """Made by us and untouched since, but this version wants it otherwise; applying changes it."""
    DRIFTED = "drifted"
    """Made by us and changed by somebody since; left alone unless `overwrite_drift`."""
    FOREIGN = "foreign"
    """Something of this name that we did not make; left alone unless `overwrite_drift`, and then put back by `remove`."""
    UNSUPPORTED = "unsupported"
    """This server has no such thing; left out, `says` names what is lost by that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One value that differs, in words a person can read. `before` is on the server, `after` is wanted; secrets are never shown."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One object that setting up is about. `(kind, name)` is unique in a plan."""

    kind: str
    """The helpdesk's word for such an object, in the singular: `trigger`, `macro`, `custom field`."""
    name: str
    state: StepState
    says: str = ""
    """One sentence: what it is for, or why it is left alone."""
    differences: tuple[Difference, ...] = ()
    needs_restart: bool = False
    """Applying it may make the helpdesk restart or stand still for a moment."""

    @property
    def key(self) -> str:
        """`kind/name`, for records and programs."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What stands between the server and what is wanted, in the order in which it would be made."""

    server: str
    """Name and version, as the server tells them."""
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()
    """Sentences to read before applying."""

    def to_do(self, *, overwrite_drift: bool = False) -> tuple[Step, ...]:
        """The steps that applying would change something for."""
        wanted = {StepState.MISSING, StepState.OUTDATED} | ({StepState.DRIFTED, StepState.FOREIGN} if overwrite_drift else set())
        return tuple(step for step in self.steps if step.state in wanted)

    @property
    def needs_restart(self) -> bool:
        """Whether applying what is missing or outdated may restart the helpdesk."""
        return any(step.needs_restart for step in self.to_do())


class Deed(StrEnum):
    """What became of one object."""

    MADE = "made"
    CHANGED = "changed"
    KEPT = "kept"
    """Left as it is: nothing to do, or not ours to touch."""
    REMOVED = "removed"
    SWITCHED_OFF = "switched off"
    """The server does not let go of it, or values would be lost: it is there but does nothing."""
    PUT_BACK = "put back"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done about one object, with a sentence where there is something to say."""

    kind: str
    name: str
    deed: Deed
    says: str = field(default="")


@runtime_checkable
class Provisions(Protocol):
    """Sets up one server. Objects are found by name; everything may be repeated, also after it broke off half way."""

    def plan(self) -> Plan:
        """Compare the server with what is wanted. Changes nothing.

        Raises:
            CredentialsRejected: the setup token is refused or has too few rights; the sentence names what it needs.
            RemoteError: any other of its kinds.
        """
        ...

    def apply(self, plan: Plan, *, overwrite_drift: bool = False) -> Sequence[Done]:
        """Make `plan.to_do(overwrite_drift=...)` so, in order, and remember what was made. One entry for each step of the plan.

        A step that fails is `FAILED` with its reason; what depends on it is left out and says so. What has changed since the plan was
        made counts as it is now: drift that is newer than the plan is not overwritten.

        Raises:
            RemoteError: nothing could be done at all.
        """
        ...

    def verify(self) -> Sequence[Probe]:
        """Try it out on a live server with a test ticket of our own, and clean up. Never raises for a remote fault."""
        ...

    def remove(self) -> Sequence[Done]:
        """Leave the server as found: take away what was made and not changed by others since, put back what was overwritten.

        Raises:
            RemoteError: nothing could be done at all.
        """
        ...


@runtime_checkable
class Provisionable(Protocol):
    """A helpdesk adapter that can be set up by command."""

    setup_token_help: str
    """One sentence: what sort of token setting up needs and where to make it; empty when none is needed."""
    has_setup_token: bool
    """Whether the settings hold one."""

    def provisions(self, setup_token: str) -> Provisions:
        """What sets up this server. `setup_token` is used now and kept nowhere; empty: the settings' own. Makes no call."""
        ...
