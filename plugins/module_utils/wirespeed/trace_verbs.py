# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``trace`` of the command line."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
import re
import signal
import sys
from pathlib import Path
from typing import Any, Dict, Mapping

from . import trace_engine
from .gather import built_in_tracers
from .profile_verbs import Verb
from .trace.options import By, Options
from .trace.output import PIPE

OK = 0
_DURATION = {"": 1, "s": 1, "m": 60, "h": 3600}
_SIZE = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add(verbs: Any, verb: Verb) -> None:
    tracing = verb(verbs, "trace", _trace, "packets of a NIC with what became of them, for Wireshark")
    tracing.add_argument("nic", metavar="NIC")
    where = tracing.add_mutually_exclusive_group(required=True)
    where.add_argument("-w", "--write", metavar="FILE", help="pcapng; '-' for standard output: ... | wireshark -k -i -")
    where.add_argument("--stop", action="store_true", help="only take back what a trace that was killed has left")
    tracing.add_argument("--filter", metavar="EXPR", help="as tcpdump understands it: 'udp port 53'")
    tracing.add_argument(
        "--verdict",
        action="append",
        metavar="NAME",
        help="only these: drop, pass, tx ..., or a verdict of the pipeline",
    )
    tracing.add_argument("--policy", type=int, metavar="N", help="only packets that this policy judged")
    tracing.add_argument("--customer", type=int, metavar="N", help="only packets of this customer")
    tracing.add_argument("--sample", type=_sample, metavar="1/N", help="one packet of N, by chance")
    tracing.add_argument("--snaplen", type=int, metavar="BYTES", help="of each packet")
    tracing.add_argument(
        "--for", dest="seconds", type=_duration, metavar="TIME", help=f"30s, 5m; {Options.seconds:.0f} s if left out"
    )
    tracing.add_argument(
        "--max-bytes", type=_size, metavar="SIZE", help=f"of the file: 100M; {Options.max_bytes} if left out"
    )
    tracing.add_argument(
        "--rate", type=int, metavar="N", help=f"records a second at most, 0 for no limit; {Options.rate} if left out"
    )
    tracing.add_argument(
        "--by", choices=[each.value for each in By], help="by fexit, or by the pipeline's trace build; else what loads"
    )
    tracing.add_argument(
        "--no-swap", action="store_true", help="leave the pipeline as it is: then only the action is told, by fexit"
    )


def _sample(text: str) -> int:
    found = re.fullmatch(r"(?:1/)?([0-9]+)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1/N")
    return int(found[1])


def _duration(text: str) -> float:
    return _with_unit(text, _DURATION)


def _size(text: str) -> int:
    return int(_with_unit(text, _SIZE))


def _with_unit(text: str, units: Mapping[str, int]) -> float:
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([a-zA-Z]?)", text)
    if found is None or found[2] not in units:
        allowed = ", ".join(unit for unit in units if unit)
        raise argparse.ArgumentTypeError(f"{text!r} is no number with one of the units {allowed}")
    return float(found[1]) * units[found[2]]


def _trace(options: argparse.Namespace) -> int:
    if options.stop:
        _tell(options, trace_engine.stop(options.nic), sys.stdout)
        return OK
    asked = {
        "verdicts": options.verdict,
        "swap": not options.no_swap,
        **{name: getattr(options, name) for name in _PLAIN},
    }
    ended = _Ended()
    write = options.write if options.write == PIPE else str(Path(options.write))
    result = trace_engine.trace(asked, write, built_in_tracers(), ended, source="command line")
    _tell(options, result, sys.stderr if write == PIPE else sys.stdout)
    return OK


_PLAIN = ("nic", "filter", "policy", "customer", "sample", "snaplen", "seconds", "max_bytes", "rate", "by")


class _Ended:
    """Whether a signal has asked for the end: the trace is then taken back in order."""

    def __init__(self) -> None:
        self._asked = False
        for number in _ENDS:
            signal.signal(number, self._take)

    def _take(self, dummy: int, frame: Any) -> None:
        self._asked = True

    def __call__(self) -> bool:
        return self._asked


def _tell(options: argparse.Namespace, result: Dict[str, Any], where: Any) -> None:
    print(json.dumps(result, indent=2, sort_keys=True) if options.json else text(result), file=where)


def text(result: Mapping[str, Any]) -> str:
    if "packets" not in result:
        return "\n".join(result["recovered"]) or "Nothing to take back: no trace was killed here."
    packets, lost = result["packets"], result["lost_by"]
    matched = f"{packets['matched']} of {packets['seen']} packets matched in {result['seconds']:.1f} s"
    why = f"{lost['rate']} by the rate, {lost['ring']} without room, {lost['file']} not taken by the file"
    lines = [
        f"{result['interface']}: {matched}; {packets['written']} written, {packets['lost']} lost ({why}).",
        f"{result['file']}: {result['bytes']} bytes; the trace ended because {result['ended']}.",
    ]
    return "\n".join([*lines, *(f"note: {each}" for each in result["warnings"])])
