# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole reload: load, hand the state over, run the manifest's packets, fill the tables, publish, collect the old one.

By the engine's steps, by a whole converge, which looks at the node before and after, and by xdp-loader, which starts
with empty maps and tests nothing.
"""

from __future__ import annotations

from typing import Callable, Dict, Iterator, Sequence, Tuple

from tests.ledger import build
from tests.ledger.reloads import Ledger

from . import loader
from .cabled import Cabled, cabled
from .paired import seconds
from .series import Series, in_turn, row

ROUNDS = 30
OURS, THEIRS = "ws0", "ws1"
STEPS, CONVERGE, LOADER = "steps of a reload", "whole converge", "xdp-loader unload + load"


def report() -> Iterator[str]:
    with cabled(OURS, THEIRS) as made:
        manifest = build.pipeline("ledger", made.folder)
        found, actions, why = made.node.run(_measured, made, timeout=300.0)
    what, theirs = f"reload of {manifest.name}", [found[LOADER]] if LOADER in found else []
    for name in (STEPS, CONVERGE):
        yield row(what, found[name], *theirs)
    for series in theirs:
        yield row(what, series)
    yield f"{what}: the steps are {', '.join(actions)}"
    if why:
        yield f"{what}: not here: {why}"


def _measured(made: Cabled) -> Tuple[Dict[str, Series], Sequence[str], str]:
    """The figures, the actions of one reload, and what of xdp-loader was not to be had."""
    ledger = Ledger(made.folder / "ledger.pipeline.yml", [OURS], "root", {"numbered": ["192.0.2.0/24"]})
    ledger.converge()
    actions = ledger.reload()
    ways: Dict[str, Callable[[], float]] = {
        STEPS: lambda: seconds(ledger.repeat),
        CONVERGE: lambda: seconds(ledger.reload),
    }
    if missing := loader.missing():
        return in_turn(ways, ROUNDS), actions, f"xdp-loader: {missing}"
    program = made.folder / "ledger.bpf.o"
    why = loader.load(THEIRS, program)
    ways[LOADER] = lambda: seconds(lambda: loader.reload(THEIRS, program))
    return in_turn(ways, ROUNDS), actions, why and f"libxdp's dispatcher, so xdp-loader did without: {why}"
