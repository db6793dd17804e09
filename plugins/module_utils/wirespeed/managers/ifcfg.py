# SPDX-License-Identifier: GPL-3.0-or-later
"""``ifcfg-NAME`` of Red Hat's network scripts (also read by NetworkManager's ifcfg-rh) and of SUSE's wicked.

``ETHTOOL_OPTS`` (SUSE: ``ETHTOOL_OPTIONS*``) holds arguments of ``ethtool``, several groups with ``;`` between
them; ``MTU`` the MTU. They are set whenever the interface is brought up.
"""

from __future__ import annotations

import re
from typing import Iterable, Iterator, Optional

from ..model.claim import Claim
from ..model.settings import Setting, Value
from . import commands, words
from .manager import Subject
from .tree import Tree

NAME = "ifcfg"
_FOLDERS = ("/etc/sysconfig/network-scripts", "/etc/sysconfig/network")
_ASSIGNED = re.compile(r"\s*(?:export\s+)?(\w+)=(\"[^\"]*\"|'[^']*'|\S*)")
_OPTIONS = re.compile(r"ETHTOOL_OPT(?:ION)?S\w*")
_DEVICE = ("$DEVICE", "${DEVICE}", "$INTERFACE", "${INTERFACE}", "iface")


def claims(tree: Tree, subject: Subject) -> Iterable[Claim]:
    name = subject.nic.name
    for folder in _FOLDERS:
        path = f"{folder}/ifcfg-{name}"
        for number, line in enumerate((tree.text(path) or "").splitlines(), 1):
            found = _ASSIGNED.match(line)
            for setting, key, value in meaning(found[1], found[2].strip("\"'"), name) if found else ():
                yield Claim(NAME, path, number, found[1] if found else "", setting, key, value)


def meaning(variable: str, text: str, interface: str) -> Iterator["tuple[Setting, str, Optional[Value]]"]:
    if variable == "MTU" and text:
        yield Setting.MTU, "mtu", words.number(text)
    elif _OPTIONS.fullmatch(variable):
        for group in text.split(";"):
            for each in commands.ordered(f"ethtool {group}"):
                if each.device in (*_DEVICE, interface):
                    yield each.setting, each.key, each.value
