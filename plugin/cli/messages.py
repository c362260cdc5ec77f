"""`message`: hide one, show it again, or answer it by a template. Each is committed like every other wish, and written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from plugin.cli.shared import Settings, actor, pass_settings
from plugin.contracts.platform import Template
from plugin.handlers.actions import Actions, Pressed

_WHICH = "MESSAGE is its id on the platform, or its article's id in the helpdesk."


@click.group()
def message() -> None:
    """Hide what others said below our posts, show it again, or send a prepared text."""


def _reason() -> Callable[[Any], Any]:
    return click.option("--reason", default="", help="Kept in the audit.")


@message.command(epilog=_WHICH)
@click.argument("reference", metavar="MESSAGE")
@_reason()
@pass_settings
def hide(settings: Settings, reference: str, reason: str) -> None:
    """Hide a message on the platform, for everybody but its author."""
    _told(_actions(settings).hide(reference, is_hidden=True, actor=actor(), reason=reason), "hidden")


@message.command(epilog=_WHICH)
@click.argument("reference", metavar="MESSAGE")
@_reason()
@pass_settings
def show(settings: Settings, reference: str, reason: str) -> None:
    """Show a hidden message again."""
    _told(_actions(settings).hide(reference, is_hidden=False, actor=actor(), reason=reason), "shown again")


@message.command(epilog=_WHICH)
@click.argument("reference", metavar="MESSAGE")
@click.argument("name")
@click.option("--language", default="en", show_default=True, help="The template's language, as the platform calls it.")
@click.option("--value", "values", multiple=True, help="What fills the template's next place; once for each, in order.")
@click.option("--text", default="", help="What the ticket shows; left out, the template's name and values.")
@_reason()
@pass_settings
def template(settings: Settings, reference: str, name: str, language: str, values: tuple[str, ...], text: str, reason: str) -> None:
    """Send the template NAME, which the platform has approved, to where a reply would go; also when the reply window is shut."""
    prepared = Template(name=name, language=language, values=values)
    shown = text or f"[Template {name}] {', '.join(values)}".strip()
    _told(_actions(settings).send_template(reference, prepared, text=shown, actor=actor(), reason=reason), "answered by the template")


def _actions(settings: Settings) -> Actions:
    return Actions(settings.bridge.installation, settings.bridge.database)


def _told(pressed: Pressed, how: str) -> None:
    click.echo(
        f"{pressed.message_ref} at {pressed.place} will be {how}; a note in the ticket says so. Its story: `crossdesk ledger show {pressed.event_key}`."
    )
