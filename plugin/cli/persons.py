"""`person`: contacts that were proved to be one person, by one-time words said in both their chats."""

from __future__ import annotations

import click

from plugin.cli.shared import Settings, actor, pass_settings, show_json, show_table
from plugin.handlers import erasing, noting, proving
from plugin.policy.safety.person_notes import Deed, wish
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
    """The person of a conversation: accounts, conversations on all channels, and what agents noted."""
    found = {**proving.show(settings.bridge.database, conversation), "notes": noting.listed(settings.bridge.database, conversation)}
    if as_json:
        show_json(found)
        return
    show_table([(row["place"], row["name"], row["known_by"]) for row in found["contacts"]], ("channel", "contact", "known by"))
    show_table(
        [(row["id"], row["place"], row["visibility"], row["stage"], row["ticket"], row["last_at"]) for row in found["conversations"]],
        ("conversation", "channel", "visibility", "stage", "ticket", "last"),
    )
    show_table(
        [(row["id"], row["kind"], row["words"], row["by"], row["at"]) for row in found["notes"]], ("number", "kind", "words", "by", "at")
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


@person.command()
@click.argument("conversation", type=int)
@click.argument("words", nargs=-1, required=True)
@_ACTOR
@pass_settings
def note(settings: Settings, conversation: int, words: tuple[str, ...], who: str) -> None:
    """Note something about a conversation's person, for agents alone; secrets and card data are refused."""
    bridge = settings.bridge
    wished = wish(Deed.NOTE, " ".join(words))
    click.echo(noting.keep(bridge.database, bridge.installation, conversation, wished, actor=who or actor()))


@person.command()
@click.argument("conversation", type=int)
@click.argument("word")
@click.option("--remove", is_flag=True, help="Take the tag away.")
@_ACTOR
@pass_settings
def tag(settings: Settings, conversation: int, word: str, who: str, *, remove: bool) -> None:
    """Give a conversation's person a tag, or take it away."""
    bridge = settings.bridge
    wished = wish(Deed.UNTAG if remove else Deed.TAG, word)
    click.echo(noting.keep(bridge.database, bridge.installation, conversation, wished, actor=who or actor()))


@person.command()
@click.argument("conversation", type=int)
@click.argument("numbers", type=int, nargs=-1)
@click.option("--all", "whole", is_flag=True, help="Every note and every tag.")
@click.option("--everywhere", is_flag=True, help="The person: names, words, files and notes, in every table.")
@click.option("--yes", is_flag=True, help="Do not ask before --everywhere.")
@click.option("--json", "as_json", is_flag=True, help="With --everywhere: one JSON object.")
@_REASON
@_ACTOR
@pass_settings
def erase(
    settings: Settings,
    conversation: int,
    numbers: tuple[int, ...],
    reason: str,
    who: str,
    *,
    whole: bool,
    everywhere: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Erase notes and tags about a conversation's person, by the numbers that `person show` tells; or the person, everywhere."""
    if whole + bool(numbers) + everywhere != 1:
        raise click.UsageError("Name the numbers that `person show` tells, or say --all, or --everywhere.")
    if everywhere:
        if not yes:
            click.confirm(
                f"Erase the person of conversation {conversation}, on every channel? It cannot be taken back.", abort=True, err=True
            )
        _erase_everywhere(settings, conversation, reason=reason, who=who, as_json=as_json)
        return
    gone = noting.erase(settings.bridge.database, conversation, actor=who or actor(), only=None if whole else numbers)
    if not gone:
        raise click.ClickException("Nothing of the kind is kept about this person; nothing was changed.")
    click.echo(f"Erased: {gone}. Internal notes in tickets that brought them stay, for staff to delete there.")


def _erase_everywhere(settings: Settings, conversation: int, *, reason: str, who: str, as_json: bool) -> None:
    bridge = settings.bridge
    spooled = bridge.spool.size() if bridge.spool is not None else 0
    found = erasing.erase(bridge.database, conversation, actor=who or actor(), reason=reason, spooled=spooled)
    if as_json:
        show_json(
            {"conversations": list(found.conversations), "erased": dict(found.erased), "total": found.total, "kept": list(found.kept)}
        )
        return
    click.echo(f"Conversations of this person: {', '.join(map(str, found.conversations))}.")
    if found.total:
        show_table(sorted(found.erased.items()), ("erased", "rows"))
    else:
        click.echo("Nothing was left to erase.")
    click.echo("What stays:")
    for sentence in found.kept:
        click.echo(f"  {sentence}")
