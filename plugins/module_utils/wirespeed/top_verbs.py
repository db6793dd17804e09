# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``top`` of the command line."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from contextlib import closing
from typing import Any, Iterator

from .exporter.reader import Reader
from .exporter_verbs import reader, with_what_is_read
from .plain import plain
from .profile_verbs import Verb
from .top import view
from .top.frame import Frame, frame

OK = 0


def add(verbs: Any, verb: Verb) -> None:
    parser = verb(verbs, "top", _top, "a live view of NICs, queues, verdicts and maps")
    parser.add_argument(
        "--interval", type=_seconds, default=1.0, metavar="SECONDS", help="between two pictures; 1 if left out"
    )
    parser.add_argument("--count", type=int, default=0, metavar="N", help="end after so many pictures")
    with_what_is_read(parser)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.1 and 3600")
    return seconds


def _top(options: argparse.Namespace) -> int:
    rich = None if options.json else view.library()
    with closing(reader(options, 0.0)) as reading:
        found = frames(reading, options.interval)
        shown = itertools.islice(found, options.count) if options.count else found
        try:
            if rich is None:
                for each in shown:
                    print(json.dumps(plain(each), sort_keys=True), flush=True)
            else:
                _show(rich, shown)
        except KeyboardInterrupt:
            pass
    return OK


def frames(reading: Reader, interval: float) -> Iterator[Frame]:
    """One each ``interval`` seconds, without an end."""
    before, at = reading.read(), time.monotonic()
    while True:
        time.sleep(max(0.0, at + interval - time.monotonic()))
        after, now = reading.read(), time.monotonic()
        yield frame(before, after, now - at)
        before, at = after, now


def _show(rich: Any, shown: Iterator[Frame]) -> None:
    """On a terminal in its place, else one below the other."""
    console, host = rich.console.Console(), os.uname().nodename
    if not console.is_terminal:
        for each in shown:
            console.print(view.drawn(each, host))
        return
    with rich.live.Live(console=console, screen=True, auto_refresh=False) as live:
        for each in shown:
            live.update(view.drawn(each, host), refresh=True)
