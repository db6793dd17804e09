# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the figures, one line each: `python -m bench [NAME ...]`."""

from __future__ import annotations

import argparse
import os
import platform

from . import (
    compile,
    config,
    diagnose,
    exporter,
    facts,
    fleet,
    handover,
    map_health,
    packet,
    publish,
    reload,
    rerun,
    scrubber,
    trace,
)

BENCHES = {
    "facts": facts.report,
    "rerun": rerun.report,
    "fleet": fleet.report,
    "publish": publish.report,
    "reload": reload.report,
    "packet": packet.report,
    "scrubber": scrubber.report,
    "handover": handover.report,
    "map_health": map_health.report,
    "compile": compile.report,
    "config": config.report,
    "trace": trace.report,
    "exporter": exporter.report,
    "diagnose": diagnose.report,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHES)}; all without one")
    chosen = parser.parse_args().names or list(BENCHES)
    unknown = sorted(set(chosen) - set(BENCHES))
    if unknown:
        parser.error(f"no bench is called {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    load = os.getloadavg()[0]
    print(
        f"Linux {platform.release()}, {os.cpu_count()} CPUs, load {load:.1f}; ratios count, seconds are this machine's"
    )
    for name in chosen:
        for line in BENCHES[name]():
            print(line, flush=True)


if __name__ == "__main__":
    main()
