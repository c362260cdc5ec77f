"""`person`: contacts that were proved to be one person, by one-time words said in both their chats."""

from __future__ import annotations

import click

from plugin.cli.shared import Settings, actor, pass_settings, show_json, show_table
from plugin.handlers import proving
from plugin.store import persons

_REASON = click.option("--reason", default="", help="Why; it stands in the audit.")
_ACTOR = click.option("--as", "who", default="", help="On whose behalf; you, where it is left out.")


@click.group()
def person() -> None:
    """Who is who across channels. Nothing is inferred: the customers prove it, and it can be undone."""


@person.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many persons at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@pass_settings
def list_all(settings: Settings, limit: int, *, as_json: bool) -> None:
    """Every person that was proved, with the accounts."""
    with settings.bridge.database.begin() as connection:
        rows = persons.everyone(connection, limit=limit)
    if as_json:
        show_json({"persons": [dict(row._mapping) for row in rows]})  # noqa: SLF001 - SQLAlchemy's public way to a mapping
        return
    show_table([(row.person_id, row.place, row.handle, row.name) for row in rows], ("person", "channel", "handle", "name"))


@person.command()
@click.argument("conversation", type=int)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
@pass_settings
def show(settings: Settings, conversation: int, *, as_json: bool) -> None:
    """The person of a conversation: accounts, and conversations on all channels."""
    found = proving.show(settings.bridge.database, conversation)
    if as_json:
        show_json(found)
        return
    show_table([(row["place"], row["name"], row["known_by"]) for row in found["contacts"]], ("channel", "contact", "known by"))
    show_table(
        [(row["id"], row["place"], row["visibility"], row["stage"], row["ticket"], row["last_at"]) for row in found["conversations"]],
        ("conversation", "channel", "visibility", "stage", "ticket", "last"),
    )


@person.command()
@click.argument("first", type=int)
@click.argument("second", type=int)
@_REASON
@_ACTOR
@pass_settings
def prove(settings: Settings, first: int, second: int, reason: str, who: str) -> None:
    """Have the customers of two conversations prove that they are one person.

    Each private chat is told a one-time word, which must be said in the other.
    """
    bridge = settings.bridge
    proving.ask(bridge.database, bridge.installation.policy, first, second, actor=who or actor(), reason=reason)
    click.echo("Each chat is told its word now. When both were said, the notes of both tickets say so.")


@person.command()
@click.argument("conversation", type=int)
@_REASON
@_ACTOR
@pass_settings
def split(settings: Settings, conversation: int, reason: str, who: str) -> None:
    """Take a conversation's contact out of its person again."""
    if not proving.split(settings.bridge.database, conversation, actor=who or actor(), reason=reason):
        raise click.ClickException("This contact is nobody but itself; nothing was changed.")
    click.echo("It is a contact of its own again. What was said while they were joined stays where it was said.")
