# SPDX-License-Identifier: GPL-3.0-or-later
"""netplan sets nothing itself: it writes files for systemd or NetworkManager, whose origin is a line of its YAML."""

from __future__ import annotations

import re

from .tree import Tree

_MADE = re.compile(r"(?:^|/)(?:10-netplan-|netplan-)(.+?)(?:-[^-/]+)?\.(?:link|network|nmconnection)$")
_FOLDERS = ("/etc/netplan", "/run/netplan", "/lib/netplan")


def origin(tree: Tree, path: str) -> str:
    """``/etc/netplan/50-cloud-init.yaml:5`` for a file that netplan made, else empty."""
    if "netplan-" not in path:
        return ""
    found = _MADE.search(path)
    stem = path.rpartition("netplan-")[2].rpartition(".")[0]
    entries = {stem, found[1] if found else stem}
    last = "netplan"
    for file in tree.layered(_FOLDERS, ".yaml"):
        for number, line in enumerate((tree.text(file) or "").splitlines(), 1):
            name, colon, dummy = line.strip().partition(":")
            if colon and name.strip("\"'") in entries:
                last = f"{file}:{number}"
    return last
