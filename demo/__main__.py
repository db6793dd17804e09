# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m demo [lab|netns]"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time

from tests.lab.errors import LabError

from . import fleet, say
from .chapters import CHAPTERS, Story


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description="The whole of Wirespeed on a small fleet.")
    parser.add_argument("where", nargs="?", choices=("lab", "netns"), default="lab")
    where = parser.parse_args().where
    if os.geteuid() != 0:
        print("demo: needs root, for network namespaces and virtual NICs. Run it as root.", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends the demo wants its nodes gone too
    started = time.monotonic()
    try:
        told = tell(where)
    except (say.DemoFailed, LabError) as failure:
        print(f"\ndemo: FAILED: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: stopped; everything it started is taken down.", file=sys.stderr)
        return 130
    print(f"\n{told} All of it took {time.monotonic() - started:.0f} s.")
    return 0


def tell(where: str) -> str:
    """Start the nodes, tell the chapters, take the nodes down; the closing sentence."""
    with open_fleet(where) as nodes:
        story = Story(nodes)
        for number, (title, chapter) in enumerate(CHAPTERS, 1):
            with say.chapter(number, title):
                chapter(story)
    left = nodes.leftovers()
    say.check(not left, f"The demo left something behind: {'; '.join(left)}")
    return f"Every claim above was checked. {len(nodes.members)} node(s) taken down, nothing is left running."


def open_fleet(where: str) -> "fleet.Opened":
    if where == "netns":
        return fleet.in_namespace()
    from . import lab_fleet

    return lab_fleet.in_machines()


if __name__ == "__main__":
    sys.exit(main())
