"""A line chart as inline SVG: a few series over one axis, with ticks at round numbers and values on hover."""

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WIDTH, HEIGHT = 520, 240
LEFT, RIGHT, TOP, BOTTOM = 58, 18, 10, 24
NUM_COLORS = 8
# Ratio beyond which a linear axis would show only the beginning of a run.
LOG_RATIO = 100.0
MAX_POINTS = 600
NUM_BANDS = 80
SMOOTH_FROM = 40
SECONDS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 43200, 86400)

CHART_STYLE = """
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));gap:1rem;padding-top:1rem;
padding-bottom:2rem}
.chart{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.8rem 1rem}
.chart h2{font-size:1rem;margin:0;overflow-wrap:anywhere}.chart p{margin:.1rem 0 .4rem;font-size:.82rem}
.chart svg{display:block;width:100%;height:auto}
.chart text{fill:var(--muted);font:11px system-ui,sans-serif}
@media (max-width:600px){.chart text{font-size:16px}}
.tick{stroke:var(--line);stroke-width:1}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round}.raw{opacity:.28;stroke-width:1}
.band{fill:transparent}.band:hover{fill:var(--muted);fill-opacity:.18}
:root{--s0:light-dark(#1f5fbf,#7fb2ff);--s1:light-dark(#c2410c,#ff9a5c);--s2:light-dark(#0b7a5b,#4ed0a5);
--s3:light-dark(#8b3fb3,#d59af2);--s4:light-dark(#8a6500,#e2bd4b);--s5:light-dark(#0d7f96,#67cfe3);
--s6:light-dark(#b02a57,#ff8db2);--s7:light-dark(#555,#bbb)}
.key{display:inline-block;width:.9em;height:.25em;vertical-align:.2em;margin-right:.3em}
"""


@dataclass(frozen=True, eq=False)
class Series:
    """A line: `x` ascending and `y`, both (n,) finite float64, n at least 1."""

    name: str
    x: Floats
    y: Floats


def number(value: float) -> str:
    """A short decimal, as `0.0251`, `2437`, `75k` or `1.2M`."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= (size if unit != "k" else 1e4):
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}"


def duration(seconds: float) -> str:
    """Seconds as `90s`, `25m` or `11h`."""
    for unit, size, least in (("h", 3600, 3600), ("m", 60, 120)):
        if abs(seconds) >= least:
            return f"{seconds / size:.3g}{unit}"
    return f"{seconds:.3g}s"


def line_chart(series: Sequence[Series], axis: str, *, seconds: bool = False) -> str:
    """The SVG of the series over the axis named `axis`, which counts seconds or plain numbers."""
    x_low, x_high = _span([one.x for one in series])
    y_low, y_high = _span([one.y for one in series])
    log = y_low > 0 and y_high / y_low >= LOG_RATIO
    rise = math.log10 if log else float
    if not log:
        margin = 0.04 * (y_high - y_low) or abs(y_high) * 0.1 or 1.0
        y_low, y_high = y_low - margin, y_high + margin
    if x_low == x_high:
        x_low, x_high = x_low - 1, x_high + 1

    def across(x: float) -> float:
        return LEFT + (x - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)

    def up(y: float) -> float:
        return (
            HEIGHT - BOTTOM - (rise(y) - rise(y_low)) / (rise(y_high) - rise(y_low)) * (HEIGHT - TOP - BOTTOM)
        )

    show = duration if seconds else number
    x_ticks = [x for x in _ticks(x_low, x_high, 8, seconds=seconds) if x_low <= x <= x_high]
    y_ticks = _decades(y_low, y_high) if log else _ticks(y_low, y_high, 6)
    parts = [_horizontal(up(y), number(y)) for y in y_ticks if y_low <= y <= y_high]
    parts += [_vertical(across(x), show(x)) for x in x_ticks]
    for place, one in enumerate(series):
        color = f'style="stroke:var(--s{place % NUM_COLORS})"'
        if len(one.x) >= SMOOTH_FROM:
            smooth = Series(one.name, one.x, _smoothed(one.y))
            parts.append(f'<path class="line raw" {color} d="{_path(one, across, up)}"/>')
            parts.append(f'<path class="line" {color} d="{_path(smooth, across, up)}"/>')
        else:
            parts.append(f'<path class="line" {color} d="{_path(one, across, up)}"/>')
    parts += _bands(series, across, lambda x: f"{axis} {show(x)}")
    names = ", ".join(one.name for one in series)
    alt = html.escape(f"{names} against {axis}{', logarithmic' if log else ''}")
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{alt}">{"".join(parts)}</svg>'


def _span(arrays: Sequence[Floats]) -> tuple[float, float]:
    return min(float(array.min()) for array in arrays), max(float(array.max()) for array in arrays)


def _ticks(low: float, high: float, num: int, *, seconds: bool = False) -> list[float]:
    rough = (high - low) / num
    if seconds and rough <= SECONDS[-1]:
        step: float = next(step for step in SECONDS if step >= rough)
    else:
        power = 10.0 ** math.floor(math.log10(rough))
        step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.ceil(low / step)
    return [step * place for place in range(first, math.floor(high / step) + 1)]


def _decades(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [10.0**power for power in powers[:: 1 + len(powers) // 7]]


def _horizontal(y: float, label: str) -> str:
    return (
        f'<path class="tick" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _vertical(x: float, label: str) -> str:
    return (
        f'<path class="tick" d="M{x:.1f} {HEIGHT - BOTTOM}v4"/>'
        f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{label}</text>'
    )


def _smoothed(values: Floats) -> Floats:
    """A running mean over a twentieth of the points around each; shorter at both ends."""
    reach = max(1, len(values) // 40)
    sums = np.concatenate(([0.0], np.cumsum(values)))
    first = np.maximum(np.arange(len(values)) - reach, 0)
    last = np.minimum(np.arange(len(values)) + reach + 1, len(values))
    return (sums[last] - sums[first]) / (last - first)


def _path(one: Series, across: Callable[[float], float], up: Callable[[float], float]) -> str:
    kept = _kept(one.y)
    points = zip(one.x[kept].tolist(), one.y[kept].tolist(), strict=True)
    # A tiny last stroke makes a line of a single point visible.
    return "M" + "L".join(f"{across(x):.1f} {up(y):.1f}" for x, y in points) + "h.01"


def _kept(values: Floats) -> npt.NDArray[np.intp]:
    """The points to draw: all, or the extremes of each of many stretches, which keeps peaks."""
    if len(values) <= MAX_POINTS:
        return np.arange(len(values))
    bounds = np.linspace(0, len(values), MAX_POINTS // 2 + 1).astype(int)
    stretches = [(low, values[low:high]) for low, high in pairwise(bounds.tolist())]
    extremes = [(low + int(part.argmin()), low + int(part.argmax())) for low, part in stretches]
    return np.unique(np.array(extremes))


def _bands(
    series: Sequence[Series], across: Callable[[float], float], label: Callable[[float], str]
) -> list[str]:
    longest = max((one.x for one in series), key=len)
    xs = longest[np.unique(np.linspace(0, len(longest) - 1, NUM_BANDS).astype(int))]
    places = [across(x) for x in xs.tolist()]
    edges = [LEFT, *((a + b) / 2 for a, b in pairwise(places)), WIDTH - RIGHT]
    bands = []
    for place, x in enumerate(xs.tolist()):
        lines = [label(x)]
        for one in series:
            nearest = int(np.abs(one.x - x).argmin())
            lines.append(f"{one.name} {number(float(one.y[nearest]))}")
        left, right = edges[place], edges[place + 1]
        bands.append(
            f'<rect class="band" x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" '
            f'height="{HEIGHT - TOP - BOTTOM}"><title>{html.escape(chr(10).join(lines))}</title></rect>'
        )
    return bands
