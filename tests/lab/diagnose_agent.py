# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node: carries a pipeline on a NIC and diagnoses the NIC; one JSON line each.

{"do": "converge", "intent": ..., "bundle": ...}   -> what the engine gives
{"do": "begin", "nic": NIC}                        -> {} once the window is open, with the last bundle's profiles
{"do": "end"}                                      -> the diagnosis

Every answer has "error" where it was refused.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any, Dict

from wirespeed import bundle, engine
from wirespeed.carrier import wait_for_carrier
from wirespeed.diagnose_engine import diagnose
from wirespeed.errors import WirespeedError
from wirespeed.gather import built_in_probes
from wirespeed.profiles.document import ProfileSet


class Running:
    """One diagnosis in a thread of its own."""

    def __init__(self, nic: str, profiles: ProfileSet) -> None:
        self._begun, self._end = threading.Event(), threading.Event()
        self._told: Dict[str, Any] = {}
        self._thread = threading.Thread(target=self._diagnose, args=(nic, profiles))
        self._thread.start()
        self._begun.wait()

    def _diagnose(self, nic: str, profiles: ProfileSet) -> None:
        try:
            self._told = diagnose(nic, profiles, built_in_probes(), self._meanwhile)
        except WirespeedError as error:
            self._told = {"error": str(error)}
        finally:
            self._begun.set()

    def _meanwhile(self) -> None:
        self._begun.set()
        self._end.wait()

    def end(self) -> Dict[str, Any]:
        self._end.set()
        self._thread.join()
        return self._told


def converge(asked: Dict[str, Any]) -> Dict[str, Any]:
    told = engine.converge(asked["intent"], asked["bundle"], False)
    wait_for_carrier([nic["name"] for nic in asked["intent"]["nics"]])
    return told


def main() -> None:
    running: Running
    profiles: ProfileSet
    for line in sys.stdin:
        asked = json.loads(line)
        told: Dict[str, Any] = {}
        try:
            if asked["do"] == "converge":
                told = converge(asked)
                profiles = bundle.parse(asked["bundle"]).profiles
            elif asked["do"] == "begin":
                running = Running(asked["nic"], profiles)
            else:
                told = running.end()
        except WirespeedError as error:
            told = {"error": str(error)}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
