"""Which helpdesks can be set up from here: shared by the `crossdesk helpdesk` commands and the console."""

from __future__ import annotations

from plugin.contracts.provisioning import Provisionable
from plugin.domain.errors import ConfigError
from plugin.handlers.installation import Installation


def provisionable(installation: Installation, name: str) -> Provisionable:
    """The helpdesk called `name`, ready to be set up.

    Raises:
        ConfigError: there is none, or it is set up by hand.
    """
    desk = next((desk for desk in installation.desks.values() if desk.key == name), None)
    if desk is None:
        known = ", ".join(sorted(desk.key for desk in installation.desks.values())) or "none"
        raise ConfigError(f"There is no helpdesk called {name!r} in crossdesk.toml. There are: {known}.")
    adapter: object = desk.adapter
    if not isinstance(adapter, Provisionable):
        raise ConfigError(f"{name} cannot be set up by command; the README of its adapter says how it is done by hand.")
    return adapter
