# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes by hand:  up NAME [--queues N] · down NAME... · list · ssh NAME [COMMAND] · inventory [NAME...]"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import List

from tests.lab.errors import LabError

from . import node
from .inventory import inventory


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.netns_node", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up")
    up.add_argument("name")
    up.add_argument("--queues", type=int, default=4)
    verbs.add_parser("down").add_argument("names", nargs="+", metavar="name")
    verbs.add_parser("list")
    told = verbs.add_parser("inventory")
    told.add_argument("names", nargs="*", metavar="name", help="without any, every node of this machine")
    ssh = verbs.add_parser("ssh")
    ssh.add_argument("name")
    ssh.add_argument("command", nargs=argparse.REMAINDER)
    try:
        return _do(parser.parse_args())
    except LabError as error:
        print(error, file=sys.stderr)
        return 1


def _do(options: argparse.Namespace) -> int:
    if options.verb == "up":
        node.NetnsNode(options.name).up(options.queues)
    elif options.verb == "down":
        for name in options.names:
            node.load(name).down()
    elif options.verb == "list":
        for found in node.everyone():
            print(f"{found.name:20} {'up' if found.alive else 'dead':5} pid {found.init}  {node.INTERFACE} {found.mac}")
    elif options.verb == "inventory":
        chosen = [node.load(name) for name in options.names] or node.everyone()
        missing = [each.name for each in chosen if not each.alive]
        if missing:
            raise LabError(f"There is no node {', '.join(missing)}; `list` shows those that are up.")
        print(json.dumps(inventory(chosen), indent=2))
    else:
        _ssh(node.load(options.name), options.command)
    return 0


def _ssh(target: node.NetnsNode, command: List[str]) -> None:
    if not target.alive:
        raise LabError(f"There is no node {target.name}; `list` shows those that are up.")
    os.execvp("ssh", ["ssh", *target.ssh_options, f"root@{target.name}", *command])


if __name__ == "__main__":
    sys.exit(main())
