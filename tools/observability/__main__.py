# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the alert rules, the dashboard and the table of metrics in docs/exporter.md from the exporter's own table.

python -m tools.observability            write them
python -m tools.observability --check    exit code 1 if one is not what the table says
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Dict, Iterator

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "roles/observability/files"
PAGE = ROOT / "docs/exporter.md"
sys.path.insert(0, str(ROOT / "plugins/module_utils"))

from wirespeed.exporter import metrics  # noqa: E402
from wirespeed.exporter.metrics import Metric  # noqa: E402

from . import alerts, dashboard  # noqa: E402

FIRST = "## Metrics\n"
_HEAD = "# SPDX-License-Identifier: GPL-3.0-or-later\n# Made by tools/observability from its table of alerts.\n---\n"


class _Indented(yaml.SafeDumper):
    """Items of a list further in than its key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def made() -> Dict[Path, str]:
    """Each file with what belongs into it."""
    return {
        FILES / "wirespeed.rules.yml": _HEAD + yaml.dump(alerts.rules(), Dumper=_Indented, sort_keys=False, width=120),
        FILES / "wirespeed.dashboard.json": json.dumps(dashboard.dashboard(), indent=2) + "\n",
        PAGE: _page(),
    }


def _page() -> str:
    """What stands before the table is written by hand."""
    by_hand = PAGE.read_text(encoding="utf-8").partition(FIRST)[0]
    return by_hand + FIRST + "\n" + "\n".join(_sections()) + "\n"


def _sections() -> Iterator[str]:
    named = {**{part.value: of for part, of in metrics.BY_PART.items()}, "of itself": metrics.SELF}
    for title, found in named.items():
        yield f"### {title[0].upper()}{title[1:]}\n"
        yield "| metric | labels | |\n| --- | --- | --- |"
        yield "\n".join(map(_row, found)) + "\n"
    yield "## Alerts\n\n| alert | severity | when |\n| --- | --- | --- |"
    for alert in alerts.ALERTS:
        held = f" for {alert.held}" if alert.held else ""
        yield f"| {alert.name} | {alert.severity} | `{alert.expression.replace('|', chr(92) + '|')}`{held} |"


def _row(metric: Metric) -> str:
    labels = ", ".join(metric.labels) + (", and those that the manifest names" if metric.more else "")
    asked = f" With `{metric.option}`." if metric.option else ""
    return f"| `{metric.sample}` | {labels} | {metric.help}{asked} |"


def main() -> int:
    files = made()
    if "--check" not in sys.argv[1:]:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not what the table of metrics says; run `python -m tools.observability`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
