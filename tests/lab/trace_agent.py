# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node: carries a pipeline on a NIC and traces it; one JSON line each.

{"do": "converge", "intent": ..., "bundle": ...}            -> what the engine gives
{"do": "foreign", "nic": NIC, "object": OBJECT}             -> {} once a pair is there, with the program on this end
{"do": "send", "frame": HEX}                                -> {} once it was put into the other end of that pair
{"do": "load", "tracers": {NAME: OBJECT}, "rows": [ROW]}    -> {NAME: TEXT} of those that were refused with this filter
{"do": "begin", "tracers": ..., "options": {...}}           -> {} once the trace runs
{"do": "end", "packets": NUMBER}     once so many are judged -> {"result": ..., "file": FILE, "left": [PIN, ...]}

Every answer has "kernel", and "error" where it was refused. Objects and files are in base64.
"""

from __future__ import annotations

import base64
import json
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Dict, Mapping

from wirespeed import engine, trace_engine
from wirespeed.carrier import wait_for_carrier
from wirespeed.counters.verdict_map import VerdictMap
from wirespeed.errors import WirespeedError
from wirespeed.pipeline import root
from wirespeed.pipeline.pins import Paths
from wirespeed.trace.options import Options
from wirespeed.trace.tracer import Choice, Tracer

FILE = Path(tempfile.gettempdir(), "trace.pcapng")


class Running:
    """One trace in a thread of its own."""

    def __init__(self, options: Mapping[str, Any], tracers: Mapping[str, bytes]) -> None:
        self._begun, self._end = threading.Event(), threading.Event()
        self._told: Dict[str, Any] = {}
        self._before = judged()
        self._thread = threading.Thread(target=self._trace, args=(options, tracers))
        self._thread.start()
        self._begun.wait()

    def _trace(self, options: Mapping[str, Any], tracers: Mapping[str, bytes]) -> None:
        def stop() -> bool:
            self._begun.set()
            return self._end.is_set()

        try:
            self._told["result"] = trace_engine.trace(options, str(FILE), tracers, stop)
            self._told["file"] = base64.b64encode(FILE.read_bytes()).decode()
        except WirespeedError as error:
            self._told["error"] = str(error)
        finally:
            self._begun.set()

    def end(self, packets: int) -> Dict[str, Any]:
        while self._thread.is_alive() and judged() < self._before + packets:
            time.sleep(0.01)
        self._end.set()
        self._thread.join()
        left = Paths.from_environment().base.glob("*/*/traced")
        return {**self._told, "left": [str(pin) for pin in left]}


def judged() -> int:
    with VerdictMap(Paths.from_environment(), "scrubber") as verdicts:
        return sum(count.packets for count in verdicts.read().counts.values())


def load(asked: Dict[str, Any]) -> Dict[str, str]:
    refused = {}
    constants = {"rows": len(asked["rows"]), "window": 2048, "sample": 3, "interval": 1000, "verdicts": 1, "policy": 7}
    chosen = Choice({**constants, "of_policy": 1}, asked["rows"])
    with root.program(Paths.from_environment(), "scrubber") as carried:
        for name, code in tracers_of(asked).items():
            tracer = Tracer(code, name, chosen, Options(""))
            try:
                tracer.load((carried, root.PROGRAM) if name == "trace_fexit" else None).close()
            except WirespeedError as error:
                refused[name] = str(error)
            finally:
                tracer.close()
    return refused


def foreign(asked: Dict[str, Any]) -> None:
    """A program of somebody else on one end of a pair; the other end is ``far0``."""
    with tempfile.NamedTemporaryFile(suffix=".o") as file:
        file.write(base64.b64decode(asked["object"]))
        file.flush()
        for words in (
            f"link add {asked['nic']} type veth peer name far0",
            f"link set {asked['nic']} up",
            "link set far0 up",
            f"link set {asked['nic']} xdp obj {file.name} sec xdp",
        ):
            subprocess.run(["ip", *words.split()], check=True, capture_output=True)


def send(frame: str) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("far0", 0))
        raw.send(bytes.fromhex(frame))


def tracers_of(asked: Dict[str, Any]) -> Dict[str, bytes]:
    return {name: base64.b64decode(code) for name, code in asked["tracers"].items()}


def main() -> None:
    running: Running
    for line in sys.stdin:
        asked = json.loads(line)
        told: Dict[str, Any] = {}
        try:
            if asked["do"] == "converge":
                told = engine.converge(asked["intent"], asked["bundle"], False)
                wait_for_carrier([nic["name"] for nic in asked["intent"]["nics"]])
            elif asked["do"] == "foreign":
                foreign(asked)
            elif asked["do"] == "send":
                send(asked["frame"])
            elif asked["do"] == "load":
                told = load(asked)
            elif asked["do"] == "begin":
                running = Running(asked["options"], tracers_of(asked))
            else:
                told = running.end(asked["packets"])
        except WirespeedError as error:
            told = {"error": str(error)}
        print(json.dumps({**told, "kernel": platform.release()}), flush=True)


if __name__ == "__main__":
    main()
