"""`ledger`: one message's whole story, the counts that must add up, and what waits for a person."""

from __future__ import annotations

from typing import Any

import click

from plugin.cli.shared import Settings, actor, pass_settings, show_json, show_table
from plugin.handlers import operate
from plugin.store import ledger as books

_KIND = click.Choice(["intent", "event", "receipt"])
_DROPPED = click.Choice(["intent", "event", "receipt", "decision"])


@click.group()
def ledger() -> None:
    """Answer "did we lose any?", and look up the fate of every message."""


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@pass_settings
def check(settings: Settings, *, as_json: bool) -> None:
    """Prove that the counts add up: received = done + ignored + waiting + retrying + held + quarantined."""
    with settings.bridge.database.begin() as connection:
        balance = books.balance(connection)
    if as_json:
        show_json(
            {
                "ok": balance.is_ok,
                "received": balance.received,
                **balance.fates,
                "reasons": balance.reasons,
                "receipts": balance.receipts,
                "contradictions": balance.contradictions,
            }
        )
    else:
        show_table(
            [(fate, count, _reasons(balance.reasons.get(fate, {}))) for fate, count in balance.fates.items()], ("fate", "events", "why")
        )
        click.echo(f"received {balance.received} = sum of all fates" if balance.is_ok else "The counts do not add up:")
        for name, ids in balance.contradictions.items():
            click.echo(f"  {name}: for example {', '.join(map(str, ids))}")
    if not balance.is_ok:
        raise click.exceptions.Exit(1)


@ledger.command()
@click.argument("conversation", type=int)
@pass_settings
def release(settings: Settings, conversation: int) -> None:
    """Let a conversation that the loop brake stopped speak again."""
    freed = operate.release(settings.bridge.database, conversation, actor=actor())
    click.echo(f"Conversation {conversation} speaks again; {freed} held replies go out now.")


def _reasons(reasons: Any) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in reasons.items()) or "-"


@ledger.command()
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@pass_settings
def show(settings: Settings, reference: str, *, as_json: bool) -> None:
    """One message's whole story. REFERENCE: its id on the platform or in the helpdesk, a ticket number, a marker, or our event id."""
    with settings.bridge.database.begin() as connection:
        stories = [books.story(connection, event_id) for event_id in books.find_events(connection, reference)]
    if as_json:
        show_json({"events": stories})
    elif not stories:
        click.echo(f"Nothing is known of {reference!r}.")
    for story in stories if not as_json else ():
        _tell(story)
    if not stories:
        raise click.exceptions.Exit(1)


def _tell(story: dict[str, Any]) -> None:
    event = story["event"]
    click.echo(f"\nevent {event['id']}  {event['kind']}  {event['event_key']}")
    click.echo(f"  from {event['place']} by {event['origin']}, said {_at(event['occurred_at'])}, received {_at(event['received_at'])}")
    state = event["state"] + (f" ({event['reason']})" if event["reason"] else "")
    ticket = f", ticket {event['ticket_number']} ({event['ticket_url']})" if event["ticket_number"] else ""
    if event["excerpt"]:
        click.echo(f"  begins: {event['excerpt']}")
    click.echo(f"  is {state}; conversation {event['conversation_id'] or '-'}{ticket}")
    for ref in story["refs"]:
        click.echo(f"  known as {ref['ref']} at {ref['place']}")
    for wish in story["intents"]:
        why = f" ({wish['reason']}: {wish['reason_text']})" if wish["reason"] else ""
        click.echo(f"  {wish['lane']}: {wish['op']} is {wish['state']}{why}; intent {wish['id']}, marker {wish['marker']}")
        for attempt in story["attempts"]:
            if attempt["intent_id"] == wish["id"]:
                detail = f" {attempt['detail']}" if attempt["detail"] else ""
                click.echo(f"    {_at(attempt['ended_at'])} {attempt['call']}: {attempt['outcome']}{detail}")


def _at(moment: Any) -> str:
    return "-" if moment is None else str(moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3])


@ledger.group()
def quarantine() -> None:
    """What was set aside for a person's decision: nothing here is lost, and nothing here is tried again by itself."""


@quarantine.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@pass_settings
def list_all(settings: Settings, *, as_json: bool) -> None:
    """Everything that waits, oldest first, with the reason."""
    with settings.bridge.database.begin() as connection:
        rows = books.set_aside(connection)
    if as_json:
        show_json({"quarantined": [dict(row._mapping) for row in rows]})  # noqa: SLF001
    elif not rows:
        click.echo("Nothing is set aside.")
    else:
        show_table(
            [(row.kind, row.id, row.place, row.what, row.since, row.reason) for row in rows],
            ("kind", "id", "place", "what", "since", "why"),
        )


@quarantine.command()
@click.argument("number", type=int)
@click.option("--kind", type=_KIND, default="intent", show_default=True, help="What the list says.")
@pass_settings
def replay(settings: Settings, number: int, kind: str) -> None:
    """Try it again as if nothing had been tried."""
    with settings.bridge.database.begin() as connection:
        is_done = books.replay(connection, kind, number, actor=actor())
    _answer(is_done, f"{kind} {number} is tried again now.", kind, number)


@quarantine.command()
@click.argument("number", type=int)
@click.option("--kind", type=_DROPPED, default="intent", show_default=True, help="What the list says.")
@click.confirmation_option(prompt="It will never be sent or filed. Drop it?")
@pass_settings
def drop(settings: Settings, number: int, kind: str) -> None:
    """Give it up for good; the ledger keeps that you did."""
    with settings.bridge.database.begin() as connection:
        is_done = books.drop(connection, kind, number, actor=actor())
    _answer(is_done, f"{kind} {number} is dropped.", kind, number)


@quarantine.command("mark-sent")
@click.argument("number", type=int)
@click.option("--ref", default="", help="Its id on the other side, so that its echo is recognised.")
@pass_settings
def mark_sent(settings: Settings, number: int, ref: str) -> None:
    """You have seen that it did arrive."""
    with settings.bridge.database.begin() as connection:
        is_done = books.mark_sent(connection, number, remote_ref=ref, actor=actor())
    _answer(is_done, f"intent {number} counts as sent.", "intent", number)


def _answer(is_done: bool, sentence: str, kind: str, number: int) -> None:  # noqa: FBT001
    if not is_done:
        raise click.ClickException(
            f"{kind} {number} is not set aside, or nothing is kept of which it could be tried again (a poll brought it); nothing was changed. "
            "`crossdesk ledger quarantine list` shows what is set aside."
        )
    click.echo(sentence)
