"""`helpdesk`: plan, apply, verify and remove what a helpdesk needs to work with Crossdesk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from plugin import log
from plugin.cli.checking import _show
from plugin.cli.shared import Settings, pass_settings, show_json
from plugin.contracts.provisioning import Deed, Done, Plan, Provisions, Step, StepState
from plugin.domain.ids import HelpdeskKey, helpdesk_place
from plugin.handlers.setting_up import provisionable

SETUP_TOKEN_ENV = "CROSSDESK_SETUP_TOKEN"  # noqa: S105 - the name of a variable, no token
_SIGNS = {
    StepState.MISSING: ("+", "green"),
    StepState.OUTDATED: ("~", "yellow"),
    StepState.DRIFTED: ("!", "red"),
    StepState.FOREIGN: ("!", "red"),
    StepState.UNSUPPORTED: ("-", None),
    StepState.SAME: (" ", None),
}
_WORDS = {
    StepState.MISSING: "new",
    StepState.OUTDATED: "to be brought up to date",
    StepState.DRIFTED: "changed by somebody, kept",
    StepState.FOREIGN: "not made by Crossdesk, kept",
    StepState.UNSUPPORTED: "not in this version",
    StepState.SAME: "in order",
}
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
_yes = click.option("--yes", is_flag=True, help="Ask nothing.")


@click.group()
def helpdesk() -> None:
    """Set a helpdesk up for Crossdesk, try it, and take it all away again.

    This needs more rights than the bridge has: give a token of an administrator in CROSSDESK_SETUP_TOKEN, or when you are asked. It is kept
    nowhere.
    """


@helpdesk.command()
@click.argument("name")
@click.option("--all", "show_all", is_flag=True, help="Also what is in order already.")
@_json
@pass_settings
def plan(settings: Settings, name: str, *, show_all: bool, as_json: bool) -> None:
    """Say what would be changed in the helpdesk NAME, and change nothing."""
    found = _provisions(settings, name).plan()
    if as_json:
        show_json(_plan_data(found))
    else:
        _show_plan(found, show_all=show_all)


@helpdesk.command()
@click.argument("name")
@click.option("--overwrite", is_flag=True, help="Also change what others made or changed.")
@_yes
@_json
@pass_settings
def apply(settings: Settings, name: str, *, overwrite: bool, yes: bool, as_json: bool) -> None:
    """Make what is missing in the helpdesk NAME. May be repeated."""
    provisions = _provisions(settings, name)
    found = provisions.plan()
    steps = found.to_do(overwrite_drift=overwrite)
    if not as_json:
        _show_plan(found, show_all=False)
    if steps and not yes:
        click.confirm(f"Make {len(steps)} changes in {name}?", abort=True, err=as_json)
    done = provisions.apply(found, overwrite_drift=overwrite)
    _end(done, as_json=as_json, what=f"Done. `crossdesk helpdesk verify {name}` tries it.")


@helpdesk.command()
@click.argument("name")
@_json
@pass_settings
def verify(settings: Settings, name: str, *, as_json: bool) -> None:
    """Try the helpdesk NAME with a test ticket, which is deleted again. The bridge must be running."""
    probes = _provisions(settings, name).verify()
    is_ok = all(probe.is_ok for probe in probes)
    if as_json:
        show_json({"ok": is_ok, "probes": [asdict(probe) for probe in probes]})
    else:
        _show(helpdesk_place(HelpdeskKey(name)), probes)
    if not is_ok:
        raise click.exceptions.Exit(1)


@helpdesk.command()
@click.argument("name")
@_yes
@_json
@pass_settings
def remove(settings: Settings, name: str, *, yes: bool, as_json: bool) -> None:
    """Take away what was made in the helpdesk NAME, and put back what was overwritten. Tickets stay."""
    provisions = _provisions(settings, name)
    if not yes:
        click.confirm(f"Take away everything that Crossdesk made in {name}? Tickets stay.", abort=True, err=as_json)
    _end(provisions.remove(), as_json=as_json, what=f"{name} is as it was found, but for what is named above.")


def _provisions(settings: Settings, name: str) -> Provisions:
    adapter = provisionable(settings.bridge.installation, name)
    token = os.environ.get(SETUP_TOKEN_ENV, "")
    if not token and not adapter.has_setup_token and adapter.setup_token_help:
        click.echo(adapter.setup_token_help, err=True)
        token = click.prompt("Setup token", hide_input=True, err=True)
    if token:
        log.register_secrets([token])
    return adapter.provisions(token)


def _show_plan(found: Plan, *, show_all: bool) -> None:
    click.echo(found.server)
    shown = [step for step in found.steps if show_all or step.state is not StepState.SAME]
    for step in shown:
        _show_step(step)
    counts = [(state, sum(step.state is state for step in found.steps)) for state in StepState]
    click.echo("; ".join(f"{count} {_WORDS[state]}" for state, count in counts if count) + ".")
    for warning in found.warnings:
        click.echo(click.style("Note: ", fg="yellow") + warning)


def _show_step(step: Step) -> None:
    sign, color = _SIGNS[step.state]
    click.echo(f"{click.style(sign, fg=color)} {step.kind} {step.name}: {_WORDS[step.state]}" + (f". {step.says}" if step.says else ""))
    if step.state is not StepState.MISSING or step.kind == "account":
        for difference in step.differences:
            click.echo(f"      {difference.field}: {difference.before} -> {difference.after}")


def _plan_data(found: Plan) -> dict[str, Any]:
    return {
        "server": found.server,
        "warnings": list(found.warnings),
        "needs_restart": found.needs_restart,
        "steps": [asdict(step) for step in found.steps],
    }


def _end(done: Sequence[Done], *, as_json: bool, what: str) -> None:
    failed = [one for one in done if one.deed is Deed.FAILED]
    if as_json:
        show_json({"ok": not failed, "done": [asdict(one) for one in done]})
    else:
        for one in done:
            if one.deed is not Deed.KEPT or one.says:
                click.echo(f"{one.deed:<12} {one.kind} {one.name}" + (f": {one.says}" if one.says else ""))
        click.echo(what if not failed else f"{len(failed)} failed; the rest stands. Do what the sentences say and run it again.")
    if failed:
        raise click.exceptions.Exit(1)
