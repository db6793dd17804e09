# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node: the engine, imported once; each run is a process of its own. One JSON request and answer a line.

{"intent": INTENT, "predict": BOOL} -> {"result": RESULT} or {"error": TEXT}
{"intent": INTENT, "count": WORDS}  -> the same, of the counters over a window, that must add up
{"intent": INTENT, "point": N}      -> the same, or {"killed": TEXT}: SIGKILL at the Nth point of the run's journal

{"version": TEXT} makes the scrubber another generation. With {"carriers": [NIC, ...]} the answer comes when these have
their carrier, with "carrier_changes": {NIC: NUMBER}. A point is the instant before and the one after each step's record
(after: it is on the disk, the step has not begun; before the next: the step is done), and those around the journal's
removal.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

from wirespeed import engine
from wirespeed.apply.journal import Journal
from wirespeed.errors import WirespeedError
from wirespeed.gather import gather, site_profiles
from wirespeed.model.step import Step

BUNDLE = gather([{"name": "scrubber"}, {"name": "pass"}], site_profiles([]), Path("/"))
CARRIER_S = 30.0


def main() -> None:
    for number_of, line in enumerate(sys.stdin):
        request = json.loads(line)
        if number_of == 0:
            # What the engine compiles and caches once, its children have from here on.
            run({"intent": request["intent"], "predict": True})
        answer = in_a_child(request)
        if "carriers" in request:
            answer["carrier_changes"] = carrier_changes(request["carriers"])
        print(json.dumps(answer), flush=True)


def in_a_child(request: Dict[str, Any]) -> Dict[str, Any]:
    """The last line that the child wrote: its answer, or what it was about to do when it was killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as out:
            arm(request.get("point", 0), out)
            print(json.dumps(run(request)), file=out)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        lines = told.read().splitlines()
    os.waitpid(child, 0)
    answer: Dict[str, Any] = json.loads(lines[-1]) if lines else {"error": "the run died without a word"}
    return answer


def run(request: Dict[str, Any]) -> Dict[str, Any]:
    try:
        if "count" in request:
            return {"result": engine.counters(request["intent"], BUNDLE, True, **request["count"])}
        return {"result": engine.converge(request["intent"], bundle(request), request.get("predict", False))}
    except WirespeedError as error:
        return {"error": str(error)}


def bundle(request: Dict[str, Any]) -> Dict[str, Any]:
    if "version" not in request:
        return BUNDLE
    scrubber, *others = BUNDLE["pipelines"]
    manifest = {**scrubber["manifest"], "version": request["version"]}
    return {**BUNDLE, "pipelines": [{**scrubber, "manifest": manifest}, *others]}


def arm(point: int, out: Any) -> None:
    """Have this process killed when it passes the given point, from 1."""
    passed = 0

    def reached(what: str) -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            print(json.dumps({"killed": what}), file=out, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    begin, close = Journal.begin, Journal.close

    def begin_step(self: Journal, step: Step) -> int:
        reached(f"before the record of {step.action} {step.path}")
        index = begin(self, step)
        reached(f"after the record of {step.action} {step.path}")
        return index

    def close_journal(self: Journal) -> None:
        reached("before the journal's end")
        close(self)
        reached("after the journal's end")

    Journal.begin, Journal.close = begin_step, close_journal  # type: ignore[method-assign]


def carrier_changes(names: List[str]) -> Dict[str, int]:
    end = time.monotonic() + CARRIER_S
    while not all(number(name, "carrier") for name in names):
        if time.monotonic() > end:
            raise SystemExit(f"not every carrier of {names} came back")
        time.sleep(0.02)
    return {name: number(name, "carrier_changes") for name in names}


def number(name: str, attribute: str) -> int:
    return int(Path("/sys/class/net", name, attribute).read_text(encoding="ascii"))


if __name__ == "__main__":
    main()
