# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs ``profile explain`` and ``profile lint`` of the command line."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
import re
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Tuple

from . import unseen
from .errors import BadInput, Place
from .gather import BUILT_IN_PROFILES, site_profiles
from .lint import lint
from .model.intent import NicIntent, Workload
from .model.nic import Nic, PciIdentity
from .model.node import Node
from .nic.on_demand import with_asked
from .nic.table import ON_DEMAND
from .observe import observe
from .pipeline.pins import Paths
from .profiles.asked import keys_asked
from .profiles.explain import explain, explain_unseen
from .profiles.load import load

COMMAND_LINE = Place("command line")
OK, WRONG = 0, 1

Verb = Callable[[Any, str, Any, str], argparse.ArgumentParser]


def add(verbs: Any, verb: Verb) -> None:
    """``verb`` adds one verb to ``verbs``, with the options that all have."""
    parser = verbs.add_parser("profile", help="explain what a NIC's profile comes to, or check a site's own profiles")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    explaining = verb(actions, "explain", _explain, "the merged profile, with file, line and reason of each value")
    explaining.add_argument("nic", nargs="?", help="a NIC of this node; without it, say --driver")
    explaining.add_argument("--driver", help="as if the NIC had this driver")
    explaining.add_argument("--kernel", metavar="VERSION", help="as if the node ran this kernel, 6.12 for instance")
    explaining.add_argument("--pci", metavar="VENDOR:DEVICE", help="as if the NIC were this device")
    words = [workload.value for workload in Workload]
    explaining.add_argument("--workload", choices=words, default=words[0], help=f"({words[0]})")
    checking = verb(actions, "lint", _lint, "check a directory of profiles; exit code 1 if anything is wrong")
    checking.add_argument("directory", metavar="DIR")


def _explain(options: argparse.Namespace) -> int:
    profiles = load([BUILT_IN_PROFILES, *site_profiles(options.profiles_path)])
    intent = NicIntent("name", options.nic or "", workload=Workload(options.workload))
    if options.nic:
        node = observe(Paths.from_environment(), [options.nic])
        if options.nic not in node.nics:
            here = ", ".join(sorted(node.nics)) or "no physical NIC, and virtual ones are seen when named"
            raise BadInput(COMMAND_LINE, "NIC", f"{options.nic!r} is not on this node.", f"There is: {here}.")
        wanted = keys_asked(profiles, node.nics[options.nic], node, intent, list(ON_DEMAND))
        node = with_asked(node, {options.nic: wanted})
        nic, node = _as_if(node.nics[options.nic], node, options)
        data = explain(profiles, nic, node, intent)
    else:
        if not options.driver:
            raise BadInput(COMMAND_LINE, "NIC", "is not given.", "Name a NIC of this node, or a driver with --driver.")
        nic, node = _as_if(unseen.NIC, unseen.NODE, options)
        data = explain_unseen(profiles, nic, node, intent)
    data = {"nic": options.nic, "driver": nic.driver, "kernel": node.kernel.release, **data}
    print(json.dumps(data, indent=2, sort_keys=True) if options.json else "\n".join(_lines(data)))
    return OK


def _lint(options: argparse.Namespace) -> int:
    found = lint(Path(options.directory))
    if options.json:
        told = [{"file": each.place.source, "line": each.place.line, "text": str(each)} for each in found]
        print(json.dumps(told, indent=2, sort_keys=True))
    else:
        print("\n".join(str(each) for each in found) or "Nothing is wrong.")
    return WRONG if found else OK


def _as_if(nic: Nic, node: Node, options: argparse.Namespace) -> Tuple[Nic, Node]:
    if options.driver:
        nic = replace(nic, driver=options.driver)
    if options.pci:
        vendor, colon, device = options.pci.lower().partition(":")
        if not (colon and re.fullmatch("[0-9a-f]{4}", vendor) and re.fullmatch("[0-9a-f]{4}", device)):
            raise BadInput(
                COMMAND_LINE, "--pci", f"is {options.pci!r}.", "Write VENDOR:DEVICE, 8086:1592 for instance."
            )
        nic = replace(nic, pci=PciIdentity(vendor, device))
    if options.kernel or node is unseen.NODE:
        node = replace(node, kernel=unseen.node(options.kernel).kernel)
    return nic, node


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    who = f"{data['nic']}: {data['driver']}" if data["nic"] else data["driver"]
    yield f"{who}, kernel {data['kernel']}, workload {data['workload']}"
    yield "profiles, weakest first: " + ", ".join(f"{each['name']} ({each['source']})" for each in data["profiles"])
    sections: Dict[str, List[Mapping[str, Any]]] = {}
    for row in data["rows"]:
        sections.setdefault(row["section"], []).append(row)
    for section, rows in sections.items():
        yield f"\n{section}"
        for row in rows:
            yield from _row_lines(row)


def _row_lines(row: Mapping[str, Any]) -> Iterator[str]:
    yield from _wrapped(f"{row['origin']:18} {row['key']:26} {_text(row['value'])}", "  ")
    for mark, text in (("", row["why"]), ("as written: ", row["written"]), ("from ", row["source"])):
        if text:
            yield from _wrapped(mark + _text(text), "      ")


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value)
    return value if isinstance(value, str) else json.dumps(value)


def _wrapped(text: str, margin: str) -> List[str]:
    layout = textwrap.TextWrapper(116, margin, "      ", break_long_words=False, break_on_hyphens=False)
    return layout.wrap(text)
