# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as a command: python -m tests.lab up|list|ssh|reboot|down|inventory|build|install"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import List, Sequence

from . import cache, fleet, host, image, inventory, kernels, spec
from . import node as nodes
from .errors import LabError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab", description=spec.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="start nodes")
    up.add_argument("nodes", nargs="+", metavar=fleet.NODE_FORM, help=f"kernels: {', '.join(kernels.LABELS)}")
    up.add_argument("--fresh", action="store_true", help="throw the node's disk of an earlier run away")
    up.add_argument("--cold", action="store_true", help="boot, rather than wake a saved machine of the same kind")
    verbs.add_parser("list", help="nodes and their state")
    ssh = verbs.add_parser("ssh", help="a shell on a node, or one command")
    ssh.add_argument("node")
    ssh.add_argument("command", nargs=argparse.REMAINDER)
    reboot = verbs.add_parser("reboot", help="clean shutdown and boot from the same disk")
    reboot.add_argument("node")
    reboot.add_argument("kernel", nargs="?", default="", help="another kernel")
    down = verbs.add_parser("down", help="take nodes down (all, unless named) with their disks")
    down.add_argument("nodes", nargs="*")
    down.add_argument("--keep", action="store_true", help="shut down cleanly and keep the disk for the next `up`")
    written = verbs.add_parser("inventory", help="Ansible inventory of the running nodes")
    written.add_argument("file", nargs="?", type=Path)
    build = verbs.add_parser("build", help="download and build what the nodes boot from")
    build.add_argument("--refresh", action="store_true", help="ask the archive for newer versions")
    verbs.add_parser("install", help="install QEMU and the image tools on this machine")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 or 1; errors are one paragraph on standard error."""
    options = _parser().parse_args(arguments)
    try:
        host.install()
        if options.verb != "install":
            _run(options, image.build(refresh=getattr(options, "refresh", False)))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace, built: image.Image) -> None:
    if options.verb == "up":
        _up(options, built)
    elif options.verb == "list":
        _list(nodes.everyone(built))
    elif options.verb == "ssh":
        argv = fleet.find(built, options.node).remote.command(*options.command)
        os.execvp(argv[0], argv)
    elif options.verb == "reboot":
        node = fleet.find(built, options.node)
        node.reboot(options.kernel)
        cache.say(f"{node.name}: up again with kernel {node.kernel} in {node.boot_seconds:.1f} s")
    elif options.verb == "down":
        _down(options, built)
    elif options.verb == "inventory":
        _inventory(options.file, fleet.running(built))
    else:
        for kernel in built.kernels.values():
            print(f"{kernel.label:8} {kernel.release}")
        print(f"image    {built.disk}")


def _up(options: argparse.Namespace, built: image.Image) -> None:
    for wanted in [spec.parse_node(text) for text in options.nodes]:
        node, done = fleet.bring_up(built, wanted, options.fresh, options.cold)
        cache.say(f"{node.name}: {done} in {node.boot_seconds:.1f} s, ssh port {node.port}")
    _list(fleet.running(built))


def _down(options: argparse.Namespace, built: image.Image) -> None:
    present = {node.name: node for node in nodes.everyone(built)}
    unknown = [name for name in options.nodes if name not in present]
    if unknown:
        raise LabError(f"No node `{unknown[0]}`; there are {', '.join(present) or 'none'}.")
    for node in [present[name] for name in options.nodes] or [node for node in present.values() if not node.owner[0]]:
        if options.keep and node.alive:
            node.shut_down()
            node.save()
        elif not options.keep:
            node.remove()
        cache.say(f"{node.name}: down{', disk kept' if options.keep else ''}")


def _list(found: List[nodes.Node]) -> None:
    for node in found:
        state = f"pid {node.pid}, port {node.port}" if node.alive else "down"
        print(f"{node.name}={node.kernel}:{','.join(map(str, node.nic_specs))}  {state}")
        for nic in node.nics:
            print(f"    {nic.interface} {nic.driver:10} {nic.mac}")


def _inventory(path: "Path | None", found: List[nodes.Node]) -> None:
    if path:
        print(inventory.write(path, found))
    else:
        print(json.dumps(inventory.document(found), indent=2))
