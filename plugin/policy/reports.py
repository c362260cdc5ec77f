"""The back-test for people: as text, and as one page of HTML without scripts, fonts or pictures from elsewhere."""

from __future__ import annotations

from html import escape

from plugin.policy.backtest import QUESTIONS, Report

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #767676; --mark: #b3541e; }
@media (prefers-color-scheme: dark) { :root { --quiet: #a0a0a0; --mark: #f0a070; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); overflow: clip; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.quiet { color: var(--quiet); } .differs { color: var(--mark); font-weight: 600; }
.scroll { overflow-x: auto; }
"""


def text(report: Report) -> str:
    """For a terminal."""
    lines = [_summary(report), ""]
    lines += [f"{'':<12}{'before':>10}{'after':>10}{'differ':>10}{'broken':>10}"]
    for question in QUESTIONS:
        counts = report.counts[question]
        lines.append(f"{question:<12}{counts['before']:>10}{counts['after']:>10}{counts['differ']:>10}{counts['broken']:>10}")
    rules = sorted(report.rules["before"].keys() | report.rules["after"].keys())
    if rules:
        width = max(len(_printable(rule)) for rule in rules)
        lines += ["", f"{'rule':<{width}}{'before':>10}{'after':>10}"]
        lines += [f"{_printable(rule):<{width}}{report.rules['before'][rule]:>10}{report.rules['after'][rule]:>10}" for rule in rules]
    for each in report.differences:
        lines += [
            "",
            f"conversation {_printable(each.conversation)} on {_printable(each.channel)}, {each.at:%Y-%m-%d %H:%M} UTC: {each.question}",
            f"  {_printable(each.excerpt)}" if each.excerpt else "  (no words)",
            f"  before: {_printable(each.before) or 'nothing'}",
            f"  after:  {_printable(each.after) or 'nothing'}",
        ]
    return "\n".join([*lines, *_rest(report)])


def page(report: Report) -> str:
    """A whole HTML page. Everything from outside is escaped; it may stand under the strictest content policy but for its own style."""
    counts = "".join(
        f"<tr><th scope=row>{question}</th>"
        + "".join(f"<td class=number>{report.counts[question][key]}</td>" for key in ("before", "after", "differ", "broken"))
        + "</tr>"
        for question in QUESTIONS
    )
    rules = "".join(
        f"<tr><th scope=row>{escape(rule)}</th>{_number(report.rules['before'][rule])}{_number(report.rules['after'][rule])}</tr>"
        for rule in sorted(report.rules["before"].keys() | report.rules["after"].keys())
    )
    examples = "".join(
        f"<tr><td>{escape(each.conversation)}<br><span class=quiet>{escape(each.channel)}<br>{each.at:%Y-%m-%d %H:%M} UTC</span></td>"
        f"<td>{each.question}</td><td dir=auto>{escape(each.excerpt)}</td><td>{_said(each.before)}</td>"
        f"<td class=differs>{_said(each.after)}</td></tr>"
        for each in report.differences
    )
    rest = "".join(f"<p class=quiet>{escape(line)}</p>" for line in _rest(report) if line)
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Back-test of a policy</title><style>{_STYLE}</style></head><body><h1>Back-test of a policy</h1><p>{escape(_summary(report))}</p>"
        "<table><caption>How often each policy had something to say</caption><thead><tr><th scope=col>question</th>"
        "<th scope=col class=number>before</th><th scope=col class=number>after</th><th scope=col class=number>differ</th>"
        f"<th scope=col class=number>broken</th></tr></thead><tbody>{counts}</tbody></table>"
        "<table><caption>How often each rule decided</caption><thead><tr><th scope=col>rule</th><th scope=col class=number>before</th>"
        f"<th scope=col class=number>after</th></tr></thead><tbody>{rules}</tbody></table>"
        "<div class=scroll><table><caption>Where they part</caption><thead><tr><th scope=col>conversation</th><th scope=col>question</th>"
        f"<th scope=col>message</th><th scope=col>before</th><th scope=col>after</th></tr></thead><tbody>{examples}</tbody></table></div>"
        f"{rest}</body></html>\n"
    )


def _summary(report: Report) -> str:
    since = f" since {report.since:%Y-%m-%d}" if report.since else ""
    return (
        f"{report.moments} moments in {report.conversations} conversations{since}: the policies part {report.total} times"
        f" (before {report.before}, after {report.after})."
    )


def _rest(report: Report) -> list[str]:
    more = report.total - len(report.differences)
    return ["", f"{more} more differences are counted above and not shown."] if more > 0 else []


def _number(value: int) -> str:
    return f"<td class=number>{value}</td>"


def _said(verdict: str) -> str:
    return escape(verdict) if verdict else "<span class=quiet>nothing</span>"


def _printable(words: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in words)
