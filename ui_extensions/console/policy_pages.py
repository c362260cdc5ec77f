"""The policy: what stands in the file, what lint says of it, and what another one would have done to past traffic."""

from __future__ import annotations

import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask, redirect, render_template, request, url_for
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.wrappers import Response

from plugin import bootstrap
from plugin.bootstrap import Bridge
from plugin.config import LintedPolicy, lint_policy, load_policy
from plugin.domain.errors import ConfigError
from plugin.handlers import backtesting
from plugin.handlers.admission import Role
from plugin.policy.backtest import QUESTIONS, Report
from ui_extensions.console.doorkeeper import needs

_MOST_DAYS = 90


def add_policy_pages(app: Flask, bridge: Bridge) -> None:
    """`/policy`, `/policy/explain` and `/policy/backtest`."""
    one_at_a_time = threading.Lock()

    @app.get("/policy")
    def policy() -> str:
        return render_template(
            "policy.html", policy=bridge.config.policy, found=_linted(bridge), path=bridge.config.path.name, draft="", days=30
        )

    @app.get("/policy/explain")
    def explain() -> Response:
        number = request.args.get("conversation", "").strip()
        return redirect(
            url_for("conversation", number=int(number) if number.isascii() and number.isdecimal() and len(number) <= 18 else 0), 303
        )

    @app.post("/policy/backtest")
    @needs(Role.SUPERVISOR)
    def backtest() -> str | tuple[str, int]:
        draft = request.form.get("policy", "")
        days = request.form.get("days", "30")
        since = datetime.now(UTC) - timedelta(days=max(1, min(int(days) if days.isascii() and days.isdecimal() else 30, _MOST_DAYS)))
        if not one_at_a_time.acquire(blocking=False):
            raise ServiceUnavailable("Another back-test is running. Wait until it is done and send this one again.")
        try:
            report = _tried(bridge, draft, since)
        except ConfigError as problem:
            problems = problem.problems or (str(problem),)
            return render_template("backtest.html", problems=problems, report=None, questions=QUESTIONS, draft=draft), 400
        finally:
            one_at_a_time.release()
        return render_template("backtest.html", problems=(), report=report, questions=QUESTIONS, draft=draft)


def _tried(bridge: Bridge, draft: str, since: datetime) -> Report:
    """What the policy in `draft` would have done.

    Raises:
        ConfigError: it cannot be used; the lines are those of the form.
    """
    with tempfile.TemporaryDirectory(prefix="crossdesk-policy-") as folder:
        path = Path(folder) / "policy.toml"
        path.write_text(draft.replace("\r\n", "\n"), encoding="utf-8", errors="replace")
        try:
            after = load_policy(path, platforms=bootstrap.platforms(), channels=[str(key) for key in bridge.config.channels])
        except ConfigError as problem:
            said = problem.problems or (str(problem),)
            raise ConfigError(problems=tuple(line.replace(str(path), "line") for line in said)) from None
    return backtesting.backtest(bridge.database, bridge.installation, bridge.config.policy, after, since=since)


def _linted(bridge: Bridge) -> LintedPolicy:
    """What lint says of the file now; it may have been changed since the start."""
    try:
        return lint_policy(bridge.config.path, platforms=bootstrap.platforms())
    except ConfigError as problem:
        return LintedPolicy(policy=None, problems=problem.problems or (str(problem),), warnings=())
