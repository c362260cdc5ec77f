"""`policy explain` and `policy backtest`: what the policy decided, and what another one would have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from plugin import bootstrap
from plugin.cli.conversations import show_decisions
from plugin.cli.shared import Settings, pass_settings, show_json, show_table
from plugin.config import load_policy
from plugin.domain.errors import ConfigError
from plugin.handlers import backtesting, explaining
from plugin.policy import reports


@click.command()
@click.argument("number", type=int)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all facts, instead of tables.")
@pass_settings
def explain(settings: Settings, number: int, *, as_json: bool) -> None:
    """Every decision about a conversation with rule, facts and time, and what each rule would say now."""
    found = explaining.explain(settings.bridge.database, settings.bridge.installation, number)
    if found is None:
        raise ConfigError(f"There is no conversation {number}. `crossdesk conversation list` shows them.")
    if as_json:
        show_json(found)
        return
    click.echo(f"conversation {number}: {found['stage']}")
    show_decisions(found)
    click.echo("\nnow:")
    show_table(
        [
            (row["kind"], row["rule"], f"cannot be judged: {row['problem']}" if row["problem"] else row["reason"] or "does not fire")
            for row in found["now"]
        ],
        ("kind", "rule", "says"),
    )


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, exists=True))
@click.option("--since", default="30d", show_default=True, help="A date such as 2026-11-01, or how many days back, such as 30d.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.option("--html", "page", type=click.Path(dir_okay=False), help="Write a page for people there, too.")
@pass_settings
def backtest(settings: Settings, file: str, since: str, page: str | None, *, as_json: bool) -> None:
    """What the policy in FILE would have done to stored traffic, beside the one in crossdesk.toml. Changes nothing."""
    after = load_policy(Path(file), platforms=bootstrap.platforms(), channels=[str(key) for key in settings.config.channels])
    report = backtesting.backtest(
        settings.bridge.database, settings.bridge.installation, settings.config.policy, after, since=_moment(since)
    )
    if page:
        Path(page).write_text(reports.page(report), encoding="utf-8")
    if as_json:
        show_json(report.plain())
    else:
        click.echo(reports.text(report))


def _moment(words: str) -> datetime:
    if words.endswith("d") and words[:-1].isdecimal():
        return datetime.now(UTC) - timedelta(days=min(int(words[:-1]), 36500))
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        raise click.BadParameter("write a date such as 2026-11-01, or days such as 30d.", param_hint="--since") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
