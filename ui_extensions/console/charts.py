"""Charts as inline SVG, drawn here: no library, no script, no style of their own. The numbers stand in a table beneath, for whoever cannot see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

_WIDTH, _HEIGHT, _LABELS = 720, 200, 24
_ROW, _NAME, _VALUE = 28, 190, 70
_HUES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture and its table. `headings` name the table's columns."""

    key: str
    title: str
    about: str
    picture: Markup
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    legend: tuple[str, ...] = ()


def bars(key: str, title: str, about: str, *, values: Sequence[tuple[str, float]], unit: str) -> Chart:
    """Lying bars, one for each value."""
    most = max((value for _, value in values), default=0) or 1
    room = _WIDTH - _NAME - _VALUE
    shapes = []
    for index, (name, value) in enumerate(values):
        top, width = index * _ROW, max(2.0 if value else 0.0, room * value / most)
        shapes.append(
            Markup(
                '<text class="name" x="{}" y="{}" text-anchor="end">{}</text><rect class="hue-0" x="{}" y="{}" width="{:.1f}" height="{}" rx="3"/>'
                '<text class="value" x="{:.1f}" y="{}">{}</text>'
            ).format(_NAME - 8, top + 18, _short(name), _NAME, top + 5, width, _ROW - 10, _NAME + width + 6, top + 18, _number(value))
        )
    picture = _svg(key, title, Markup("").join(shapes), height=max(1, len(values)) * _ROW)
    rows = [(name, _number(value)) for name, value in values]
    return Chart(key=key, title=title, about=about, picture=picture, headings=("", unit), rows=rows)


def columns(
    key: str, title: str, about: str, *, labels: Sequence[str], series: Mapping[str, Sequence[float]], unit: str, is_stacked: bool = True
) -> Chart:
    """Standing columns over time, one for each label; several series stand on, or beside, each other."""
    names = list(series)
    sums = [sum(series[name][at] for name in names) for at in range(len(labels))]
    # A scale that ends below one would show a second as a mountain.
    most = max([1.0, *sums]) if is_stacked else max([1.0, *(value for name in names for value in series[name])])
    step = (_WIDTH - 44) / max(1, len(labels))
    shapes = [_grid(most)]
    every = max(1, len(labels) // 6)
    for at, label in enumerate(labels):
        left, base = 40 + at * step, float(_HEIGHT)
        for number, name in enumerate(names):
            tall = (_HEIGHT - 12) * series[name][at] / most
            width = (step - 1.5) / (1 if is_stacked else max(1, len(names)))
            x = left if is_stacked else left + number * width
            if tall > 0:
                shapes.append(
                    Markup('<rect class="hue-{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
                        number % _HUES, x, base - tall, max(1.0, width), tall
                    )
                )
            base -= tall if is_stacked else 0
        if at % every == 0:
            shapes.append(Markup('<text class="label" x="{:.1f}" y="{}">{}</text>').format(left, _HEIGHT + 16, label))
    rows = [
        (label, *(_number(series[name][at]) for name in names))
        for at, label in enumerate(labels)
        if any(series[name][at] for name in names)
    ]
    picture = _svg(key, title, Markup("").join(shapes), height=_HEIGHT + _LABELS)
    headings = (f"hour (UTC), {unit}", *names)
    return Chart(key=key, title=title, about=about, picture=picture, headings=headings, rows=rows, legend=tuple(names))


def _grid(most: float) -> Markup:
    lines = []
    for part in (0.0, 0.5, 1.0):
        y = _HEIGHT - (_HEIGHT - 12) * part
        lines.append(
            Markup(
                '<line class="grid" x1="40" x2="{}" y1="{:.1f}" y2="{:.1f}"/><text class="label" x="34" y="{:.1f}" text-anchor="end">{}</text>'
            ).format(_WIDTH - 4, y, y, y + 4, _number(most * part))
        )
    return Markup("").join(lines)


def _svg(key: str, title: str, inner: Markup, *, height: int) -> Markup:
    return Markup(
        '<svg class="chart" role="img" aria-labelledby="{}-title" viewBox="0 0 {} {}"><title id="{}-title">{}</title>{}</svg>'
    ).format(key, _WIDTH, height, key, title, inner)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.1f}" if value >= 0.1 else "under 0.1"


def _short(name: str) -> str:
    return name if len(name) <= 26 else f"{name[:25]}…"
