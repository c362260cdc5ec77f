"""`conversation`: how each stands in the crossover contract, and what a person may press from here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from plugin.cli.shared import Settings, actor, pass_settings, show_json, show_table
from plugin.domain.errors import ConfigError
from plugin.domain.model import Stage
from plugin.handlers import continuing, explaining, learning, pressing
from plugin.handlers.pressing import Press
from plugin.policy.safety.lessons import Lesson
from plugin.store import evidence, overview

_WAIT_SECONDS = 5.0
_ROLE = click.option(
    "--role", type=click.Choice(["agent", "supervisor", "admin"]), default="admin", show_default=True, help="In which capacity you press."
)
_REASON = click.option("--reason", default="", help="Why; it stands in the ticket, the ledger and the audit.")
_ACTOR = click.option("--as", "who", default="", help="On whose behalf; you, where it is left out.")
_KEY = click.option("--key", default="", help="Name of this very press: told twice, it is done once.")


@click.group()
def conversation() -> None:
    """Where conversations stand in the crossover contract, and the buttons of the agents and supervisors."""


@conversation.command("list")
@click.option("--stage", type=click.Choice([stage.value for stage in Stage]), default=None, help="Only those in this stage.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@pass_settings
def list_all(settings: Settings, stage: str | None, limit: int, *, as_json: bool) -> None:
    """The conversations in the order of their places in the queue."""
    with settings.bridge.database.begin() as connection:
        rows = overview.conversations(connection, stage=stage, limit=limit)
    if as_json:
        show_json({"conversations": [dict(row._mapping) for row in rows]})  # noqa: SLF001 - SQLAlchemy's public way to a mapping
        return
    show_table(
        [
            (
                row.id,
                row.place,
                row.handle,
                row.stage,
                row.ticket_number,
                row.ticket_group or "-",
                row.unanswered_since,
                row.locked_by or "-",
                row.held,
                row.rule,
            )
            for row in rows
        ],
        ("id", "channel", "contact", "stage", "ticket", "group", "waits since", "lock", "held", "rule"),
    )


@conversation.command()
@click.argument("number", type=int)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@pass_settings
def show(settings: Settings, number: int, *, as_json: bool) -> None:
    """One conversation: stage, decisions, timers, and what is held and why."""
    found = explaining.explain(settings.bridge.database, settings.bridge.installation, number)
    if found is None:
        raise ConfigError(f"There is no conversation {number}. `crossdesk conversation list` shows them.")
    if as_json:
        show_json(found)
        return
    click.echo(f"conversation {number}: {found['stage']}" + (f", by the rule {found['rule']} ({found['reason']})" if found["rule"] else ""))
    if found["lock"]:
        click.echo(f"locked by {found['lock']['name']} until {found['lock']['until']:%Y-%m-%d %H:%M:%S} UTC")
    show_table([(row["at"], row["name"]) for row in found["timers"]], ("at", "timer"))
    show_table([(row["id"], row["reason"], row["reason_text"]) for row in found["held"]], ("held", "why", "what to do"))
    show_decisions(found)


def show_decisions(found: Mapping[str, Any]) -> None:
    """Every decision, oldest first, for people."""
    show_table(
        [
            (
                row["at"],
                row["kind"],
                row["rule"],
                row["reason"],
                ", ".join(f"{name} {value}" for name, value in row["outcome"].items() if value),
            )
            for row in found["decisions"]
        ],
        ("at", "kind", "rule", "reason", "outcome"),
    )


def _press(settings: Settings, number: int, pressed: Press) -> None:
    database = settings.bridge.database
    event_id = pressing.press(database, number, pressed)
    if event_id is None:
        click.echo("This very press was told before; nothing was done again.")
        return
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        for row in pressing.outcome(database, number, event_id):
            if row["outcome"].get("refused"):
                raise click.ClickException(f"It was not done: {row['reason']}")
            click.echo(f"Done: {', '.join(f'{name} {value}' for name, value in row['outcome'].items() if value)}")
            return
        time.sleep(0.1)
    click.echo("It is kept, and done as soon as a worker comes to it (`crossdesk run` must be running).")


def _command(name: str, action: str, text: str) -> None:
    @conversation.command(name, help=text)
    @click.argument("number", type=int)
    @_ROLE
    @_REASON
    @_ACTOR
    @_KEY
    @pass_settings
    def pressed(settings: Settings, number: int, role: str, reason: str, who: str, key: str) -> None:
        _press(settings, number, Press(action=action, actor=who or actor(), role=role, reason=reason, key=key))


_command("undo", "undo", "Take a handoff back: a supervisor's, with a reason. What was held leaves.")
_command("close", "close", "Close without the customer's confirmation: a supervisor's, with a reason.")
_command("lock", "take_lock", "Have the conversation to yourself for a while, if nobody else has; again, to keep it.")
_command("take-over", "take_over", "Take another agent's lock, with a reason.")
_command("release-lock", "release_lock", "Give the lock back; a supervisor gives back anybody's.")
_command("warn", "warn", "Post a warning under a likely impostor's post, once.")
_command("release", "release", "Let held public replies go: a supervisor's, with a reason.")
_command("to-private", "to_private", "Ask the customer, where they wrote, to go on in private.")
_command("request-approval", "request_approval", "Have the reply that waits, or else the next one, seen by a second person.")
_command("retry", "retry", "Send the last reply again that did not reach the customer.")
_command("scam", "mark_scam", "Mark the conversation as a scam, with a reason: replies are held.")
_command("not-scam", "not_scam", "Lift the mark of a scam: a supervisor's, with a reason.")


@conversation.command()
@click.argument("number", type=int)
@click.option("--group", default="", help="Where the formal ticket goes, if not where the policy says.")
@_ROLE
@_REASON
@_ACTOR
@_KEY
@pass_settings
def handoff(settings: Settings, number: int, group: str, role: str, reason: str, who: str, key: str) -> None:
    """Make it a formal ticket now."""
    arguments = {"group": group} if group else {}
    _press(settings, number, Press(action="handoff", actor=who or actor(), role=role, reason=reason, arguments=arguments, key=key))


@conversation.command()
@click.argument("number", type=int)
@click.option("--minutes", type=click.IntRange(1), default=60, show_default=True, help="For how long.")
@_ROLE
@_REASON
@_ACTOR
@_KEY
@pass_settings
def postpone(settings: Settings, number: int, minutes: int, role: str, reason: str, who: str, key: str) -> None:
    """Put a handoff off, with a reason."""
    arguments = {"minutes": str(minutes)}
    _press(settings, number, Press(action="postpone", actor=who or actor(), role=role, reason=reason, arguments=arguments, key=key))


@conversation.command()
@click.argument("number", type=int)
@click.option(
    "--customer-said", type=click.Choice(["yes", "no"]), default=None, help="What the customer answered elsewhere; needs a reason."
)
@_ROLE
@_REASON
@_ACTOR
@_KEY
@pass_settings
def confirm(settings: Settings, number: int, customer_said: str | None, role: str, reason: str, who: str, key: str) -> None:
    """Say that the formal ticket is complete; then ask the customer whether it is solved, or record what they said elsewhere."""
    action = {"yes": "confirmed", "no": "denied", None: "confirm"}[customer_said]
    _press(settings, number, Press(action=action, actor=who or actor(), role=role, reason=reason, key=key))


def _ruling(name: str, text: str) -> None:
    @conversation.command(name, help=text)
    @click.argument("number", type=int)
    @click.option("--reply", type=int, default=None, help="Which reply, if more than one waits.")
    @_ROLE
    @_REASON
    @_ACTOR
    @_KEY
    @pass_settings
    def ruled(settings: Settings, number: int, reply: int | None, role: str, reason: str, who: str, key: str) -> None:
        arguments = {} if reply is None else {"reply": str(reply)}
        _press(settings, number, Press(action=name, actor=who or actor(), role=role, reason=reason, arguments=arguments, key=key))


_ruling("approve", "Let a reply go that waits for a second person.")
_ruling("reject", "Give a reply back to its author, with a reason.")
_ruling("recall", "Take a reply back that has not left yet.")


@conversation.command()
@click.argument("event", type=int)
@pass_settings
def promote(settings: Settings, event: int) -> None:
    """Make a ticket of a message that a rule filtered out; the ledger shows its event's number."""
    if not pressing.promote(settings.bridge.database, event, actor=actor()):
        raise click.ClickException(f"Event {event} was not filtered out; nothing was changed.")
    click.echo(f"Event {event} becomes a ticket now.")


@conversation.command()
@click.argument("number", type=int)
@click.option("--note", default="", help="In a sentence or two, in general words: other customers' agents will read it.")
@click.option("--tag", "tags", multiple=True, help="A word by which it is found; more than once for several.")
@click.option("--link", default="", help="The address of a knowledge base article.")
@click.option("--withdraw", is_flag=True, help="Forget what was kept.")
@_ACTOR
@pass_settings
def solved(settings: Settings, number: int, note: str, tags: tuple[str, ...], link: str, who: str, *, withdraw: bool) -> None:
    """Keep what solved a conversation; agents see it when somebody writes something similar."""
    bridge = settings.bridge
    if withdraw:
        if not learning.withdraw(bridge.database, number, actor=who or actor()):
            raise click.ClickException("Nothing was kept as having solved this conversation; nothing was changed.")
        click.echo("It is forgotten; nobody is shown it any more. The note in the ticket stays, for staff to delete there.")
        return
    lesson = Lesson(note=note, tags=tuple(dict.fromkeys(tag.strip().lstrip("#").casefold() for tag in tags)), link=link.strip())
    learning.keep(bridge.database, bridge.installation, number, lesson, actor=who or actor())
    click.echo("Kept. It is suggested to agents once the conversation has ended, and `--withdraw` takes it back.")


@conversation.command()
@click.argument("number", type=int)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@pass_settings
def suggestions(settings: Settings, number: int, *, as_json: bool) -> None:
    """What solved earlier conversations that resemble this one. Nothing is sent."""
    found = learning.find(settings.bridge.database, number)
    if as_json:
        show_json({"suggestions": found})
        return
    for item in found:
        click.echo(f"{item['note']}" + (f" [{', '.join(item['tags'])}]" if item["tags"] else ""))
        click.echo(f"  from ticket {item['ticket'] or '-'} {item['url']}".rstrip())
        if item["link"]:
            click.echo(f"  article: {item['link']}")
        click.echo(f"  {item['score']:.0%} alike: {', '.join(item['words'])}")
    if not found:
        click.echo("Nothing that was kept resembles it.")


@conversation.command("close-page")
@click.argument("number", type=int)
@_REASON
@_ACTOR
@pass_settings
def close_page(settings: Settings, number: int, reason: str, who: str) -> None:
    """End what the private page of a conversation shows, in every browser; replies go where they went before it."""
    ended = continuing.close(settings.bridge.database, number, actor=who or actor(), reason=reason)
    click.echo(f"{ended} browsers see nothing any more. The link itself opens a new form until it runs out.")


@conversation.command("evidence")
@click.argument("number", type=int)
@pass_settings
def show_evidence(settings: Settings, number: int) -> None:
    """What was seen of likely impostors in a conversation, as JSON: profile and words as they were, links defanged."""
    with settings.bridge.database.begin() as connection:
        rows = evidence.of_conversation(connection, number)
    show_json({"evidence": [{"event": row.event_id, "kept_at": row.created_at, **row.content} for row in rows]})
