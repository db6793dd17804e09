# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``diagnose`` of the command line: which stage loses frames, and what to do about it."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
import time
from typing import Any

from . import diagnose_engine
from .gather import BUILT_IN_PROFILES, built_in_probes, site_profiles
from .profile_verbs import Verb
from .profiles.load import load

OK, LOST = 0, 2


def add(verbs: Any, verb: Verb) -> None:
    """``verb`` adds one verb to ``verbs``, with the options that all have."""
    parser = verb(verbs, "diagnose", _diagnose, "which stage loses frames, and why; exit code 2 if any were lost")
    parser.add_argument("nic", metavar="NIC")
    parser.add_argument("--for", dest="seconds", type=_seconds, default=10.0, metavar="SECONDS", help="how long (10)")
    parser.add_argument(
        "--deep", action="store_true", help="also why the stack drops, and how late polls are (bcc, kernel headers)"
    )


def _seconds(text: str) -> float:
    seconds = float(text[:-1] if text.endswith("s") else text)
    if not diagnose_engine.SHORTEST_S <= seconds <= diagnose_engine.LONGEST_S:
        allowed = f"{diagnose_engine.SHORTEST_S} and {diagnose_engine.LONGEST_S} seconds"
        raise argparse.ArgumentTypeError(f"{text} is not between {allowed}")
    return seconds


def _diagnose(options: argparse.Namespace) -> int:
    profiles = load([BUILT_IN_PROFILES, *site_profiles(options.profiles_path)])
    probes = built_in_probes()
    found = diagnose_engine.diagnose(options.nic, profiles, probes, lambda: time.sleep(options.seconds), options.deep)
    print(json.dumps(found, indent=2, sort_keys=True) if options.json else "\n".join(found["text"]))
    return LOST if any(cause["frames"] for cause in found["causes"]) else OK
