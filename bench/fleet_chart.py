# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw what the bench `fleet` measured, for the documentation.

cp build/bench/fleet.json bench/fleet_figures.json && python -m bench.fleet_chart
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

ROOT = Path(__file__).resolve().parent.parent
FIGURES = Path(__file__).with_name("fleet_figures.json")
CHART = ROOT / "docs" / "diagrams" / "fleet.svg"
WIDTH, HEIGHT = 220, 150
LEFT, TOP, BETWEEN = 50, 62, 270
NAMES = {"site": "wirespeed.xdp.site", "plain": "plain commands"}

# Title, unit, the figure, and what it is divided by.
PANELS = (
    ("The whole run", "s", "wall", False),
    ("Control node's processor", "s", "control", False),
    ("One node's processor", "s", "target", True),
)
HEAD = """\
<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 830 270" role="img" aria-labelledby="t d">
<title id="t">A run that has nothing to do, over 10 to 200 hosts</title>
<desc id="d">{said}</desc>
<style>
  svg {{ --ink: #1f2933; --soft: #6b7785; --line: #c3cbd4; --site: #2f8f4e; --plain: #b8432f; }}
  @media (prefers-color-scheme: dark) {{
    svg {{ --ink: #e4e8ee; --soft: #a5b0bd; --line: #4a535e; --site: #6fcf8d; --plain: #ef8f7c; }} }}
  text {{ font: 12px sans-serif; fill: var(--ink); }}
  .b {{ font-size: 13px; font-weight: 600; }} .s {{ font-size: 11px; fill: var(--soft); }}
  path {{ fill: none; stroke: var(--line); }}
  .site {{ stroke: var(--site); stroke-width: 2; }} .plain {{ stroke: var(--plain); stroke-width: 2; }}
  .plain {{ stroke-dasharray: 6 3; }}
  circle.site {{ fill: var(--site); }} circle.plain {{ fill: var(--plain); }}
</style>"""

Curve = List[Tuple[int, float]]


def draw(figures: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """``figures``: of `site` and `plain`, the runs; of several runs with as many hosts the median is drawn."""
    panels = [
        (title, unit, {name: _curve(figures[name], figure, each) for name in NAMES})
        for title, unit, figure, each in PANELS
    ]
    lines = [HEAD.format(said="; ".join(f"{title}: {_said(curves, unit)}" for title, unit, curves in panels))]
    for number, name in enumerate(NAMES):
        lines.append(f'<path class="{name}" d="M{LEFT + number * 190} 18h30"/>')
        lines.append(f'<text x="{LEFT + 38 + number * 190}" y="22">{NAMES[name]}</text>')
    for number, (title, unit, curves) in enumerate(panels):
        lines += _panel(LEFT + number * BETWEEN, title, unit, curves)
    return "\n".join([*lines, "</svg>", ""])


def _curve(runs: Sequence[Mapping[str, Any]], figure: str, each: bool) -> Curve:
    sizes = sorted({int(run["hosts"]) for run in runs})
    medians = {size: statistics.median(run[figure] for run in runs if run["hosts"] == size) for size in sizes}
    return [(size, value / size if each else value) for size, value in medians.items()]


def _said(curves: Mapping[str, Curve], unit: str) -> str:
    return ", ".join(
        f"{NAMES[name]} {curve[-1][1]:.3g} {unit} of {curve[-1][0]} hosts" for name, curve in curves.items()
    )


def _panel(left: int, title: str, unit: str, curves: Mapping[str, Curve]) -> Iterator[str]:
    points = [point for curve in curves.values() for point in curve]
    hosts, most = max(size for size, _ in points), max(value for _, value in points)
    step = next(step for step in _steps() if step * 4 >= most)
    top = step * -(-most // step)
    yield f'<text class="b" x="{left}" y="{TOP - 14}">{title}, {unit}</text>'
    for number in range(round(top / step) + 1):
        y = TOP + HEIGHT - HEIGHT * number * step / top
        yield f'<path d="M{left} {y:.1f}h{WIDTH}"/>'
        yield f'<text class="s" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{number * step:g}</text>'
    for size in dict(curves["site"]):
        x = left + WIDTH * size / hosts
        yield f'<text class="s" x="{x:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{size}</text>'
    yield f'<text class="s" x="{left + WIDTH / 2:.1f}" y="{TOP + HEIGHT + 36}" text-anchor="middle">hosts</text>'
    for name, curve in curves.items():
        at = [(left + WIDTH * size / hosts, TOP + HEIGHT - HEIGHT * value / top) for size, value in curve]
        yield f'<path class="{name}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in at)}"/>'
        yield from (f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in at)


def _steps() -> Iterator[float]:
    """Distances of lines that a person can count in."""
    return (digit * 10.0**power for power in range(-3, 7) for digit in (1, 2, 5))


def main() -> None:
    figures: Dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    CHART.write_text(draw(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
