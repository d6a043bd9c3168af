"""Charts as SVG: lines over logarithmic axes, and bars. The same numbers give the same bytes; no fonts are fetched."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#2563eb", "#d97706", "#059669", "#7c3aed", "#db2777", "#475569")
GRID, INK, PAPER = "#e2e8f0", "#334155", "#ffffff"
_LINE = 15  # the height of a line of text
_BAR = 13

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """`series` by name; x is logarithmic, with a tick at each x that occurs; y too, unless it counts things. Of another
    `x` than the number of packages neither is.
    """

    title: str
    y: str
    series: Mapping[str, Points]
    x: str = "packages"
    logarithmic: bool = True
    width: int = 600
    height: int = 300

    def draw(self) -> Iterator[str]:
        left, right, top, bottom = 56, self.width - 225, 40, self.height - 40
        grows = self.x == "packages"
        xs = sorted({x for points in self.series.values() for x, _ in points})
        xs = xs if grows else _steps(xs)
        ticks = _decades(self._values()) if self.logarithmic else _steps(self._values())
        x_at = _scale(xs, left, right, logarithmic=grows)
        y_at = _scale(ticks, bottom, top, logarithmic=self.logarithmic)
        yield _text(self.title, left, 18, size=14, weight="600")
        yield _text(self.y, left, 33, size=11)
        for tick in ticks:
            yield f'<path d="M{left} {y_at(tick):.1f}H{right}" stroke="{GRID}"/>'
            yield _text(number(tick), left - 6, y_at(tick) + 4, size=11, anchor="end")
        for x in xs:
            yield f'<path d="M{x_at(x):.1f} {top}V{bottom}" stroke="{GRID}"/>'
            yield _text(number(x), x_at(x), bottom + 16, size=11, anchor="middle")
        yield _text(self.x, (left + right) / 2, bottom + 33, size=11, anchor="middle")
        ends = {name: y_at(points[-1][1]) for name, points in self.series.items()}
        labels = _apart(ends)
        for (name, points), colour in zip(self.series.items(), COLOURS, strict=False):
            path = "L".join(f"{x_at(x):.1f} {y_at(y):.1f}" for x, y in points)
            yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            yield from (f'<circle cx="{x_at(x):.1f}" cy="{y_at(y):.1f}" r="3" fill="{colour}"/>' for x, y in points)
            label = f"{name}: {number(points[-1][1])}"
            yield _text(label, right + 10, labels[name] + 4, size=11, colour=colour)

    def _values(self) -> list[float]:
        return [y for points in self.series.values() for _, y in points]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """`groups`: a heading with its bars, each a name and a value. `unit` stands behind each number; a line marks
    `goal`.
    """

    title: str
    unit: str
    groups: Mapping[str, Mapping[str, float]]
    goal: float | None = None
    width: int = 820

    @property
    def height(self) -> int:
        return 44 + sum(_LINE + 8 + len(bars) * (_BAR + 3) for bars in self.groups.values())

    def draw(self) -> Iterator[str]:
        left, right = 300, self.width - 100
        names = list(dict.fromkeys(name for bars in self.groups.values() for name in bars))
        largest = max([value for bars in self.groups.values() for value in bars.values()] + [self.goal or 0])
        yield _text(self.title, 12, 20, size=14, weight="600")
        at = 36.0
        for heading, bars in self.groups.items():
            yield _text(heading, 12, at + _LINE - 2, size=12, weight="600")
            at += _LINE + 2
            for name, value in bars.items():
                wide = (right - left) * value / largest
                colour = COLOURS[names.index(name) % len(COLOURS)]
                yield _text(name, left - 8, at + _BAR - 3, size=11, anchor="end")
                yield f'<rect x="{left}" y="{at:.1f}" width="{wide:.1f}" height="{_BAR}" fill="{colour}"/>'
                yield _text(f"{number(value)} {self.unit}".strip(), left + wide + 6, at + _BAR - 3, size=11)
                at += _BAR + 3
            at += 6
        if self.goal is not None:
            x = left + (right - left) * self.goal / largest
            yield f'<path d="M{x:.1f} 34V{at:.1f}" stroke="{INK}" stroke-dasharray="4 3"/>'


def picture(panels: Iterable[Lines | Bars], *, columns: int = 1) -> str:
    """The panels in rows of so many."""
    shown = list(panels)
    wide, high = max(panel.width for panel in shown), max(panel.height for panel in shown)
    rows = math.ceil(len(shown) / columns)
    width, height = wide * columns, high * rows
    body = [f'<rect width="{width}" height="{height}" fill="{PAPER}"/>']
    for number_, panel in enumerate(shown):
        row, column = divmod(number_, columns)
        body.append(f'<g transform="translate({column * wide} {row * high})">')
        body += panel.draw()
        body.append("</g>")
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return "\n".join([f'{head} font-family="system-ui, sans-serif">', *body, "</svg>", ""])


def number(value: float) -> str:
    """As people write it: 27,479, 12.3, 0.045."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2g}" if value < 10 else f"{value:.3g}"


def _text(
    text: str, x: float, y: float, *, size: int, anchor: str = "start", weight: str = "400", colour: str = INK
) -> str:
    style = f'font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'


def _scale(values: Sequence[float], start: float, end: float, *, logarithmic: bool) -> "Scale":
    return Scale(min(values), max(values), start, end, logarithmic)


@dataclass(frozen=True, slots=True)
class Scale:
    """From a value to its place."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return self.start
        if self.logarithmic:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def _decades(values: Sequence[float]) -> list[float]:
    low = math.floor(math.log10(max(min(values), 1e-6)))
    high = math.ceil(math.log10(max(*values, 1e-6)))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]


def _steps(values: Sequence[float]) -> list[float]:
    """From 0 to above the largest, in steps of 1, 2 or 5."""
    rough = max(*values, 1) / 4
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * times for times in (1, 2, 5, 10) if size * times >= rough)
    return [step * turn for turn in range(math.ceil(max(values) / step) + 1)]


def _apart(places: Mapping[str, float]) -> dict[str, float]:
    """Where the labels go, so that none covers another."""
    found: dict[str, float] = {}
    last = -math.inf
    for name, place in sorted(places.items(), key=lambda item: item[1]):
        last = max(place, last + _LINE)
        found[name] = last
    return found
