# SPDX-License-Identifier: GPL-3.0-or-later
"""udev rules that run ``ethtool`` or ``ip`` when an interface appears, and those that write a NIC's attributes.

Only what can be told from the rule itself is compared with the NIC: its name and driver. A rule with other
conditions counts as one for this NIC: better a warning too many. udev(7); rules run at every "add" event.
"""

from __future__ import annotations

import fnmatch
import re
from typing import Iterable, Iterator, List, Mapping, Tuple

from ..model.claim import Claim
from ..model.nic import Nic
from ..model.settings import Setting
from . import commands, words
from .commands import Ordered
from .manager import Subject
from .tree import Tree

NAME = "udev rule"
_FOLDERS = (
    "/etc/udev/rules.d",
    "/run/udev/rules.d",
    "/usr/local/lib/udev/rules.d",
    "/usr/lib/udev/rules.d",
    "/lib/udev/rules.d",
)
_TOKEN = re.compile(r"(\w+)(?:\{([^}]*)\})?\s*(==|!=|\+=|-=|:=|=)\s*[ei]?\"((?:[^\"\\]|\\.)*)\"")
_INTERFACE = ("$name", "%k", "$kernel", "$env{INTERFACE}", "%E{INTERFACE}", "$env{ID_NET_NAME}", "%E{ID_NET_NAME}")
_ATTRIBUTES = {"mtu": Setting.MTU, "tx_queue_len": Setting.TXQUEUELEN}
_MENTIONED = ("ethtool", "ip link", "ATTR{mtu}", "ATTR{tx_queue_len}")

Token = Tuple[str, str, str, str]
"""Key, attribute in braces, operator, value."""


def claims(tree: Tree, subject: Subject) -> Iterable[Claim]:
    for path in tree.layered(_FOLDERS, ".rules"):
        text = tree.text(path) or ""
        if any(word in text for word in _MENTIONED):
            for number, rule in rules(text):
                for each, option in meaning(rule, subject.nic):
                    yield Claim(NAME, path, number, option, each.setting, each.key, each.value)


def rules(text: str) -> "Iterator[tuple[int, List[Token]]]":
    """Each rule with the number of its first line."""
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        if raw.lstrip()[:1] == "#":
            continue
        start = start if pending else number
        if raw.rstrip().endswith("\\"):
            pending += raw.rstrip()[:-1]
            continue
        tokens = _TOKEN.findall(pending + raw)
        pending = ""
        if tokens:
            yield start, tokens


def meaning(rule: List[Token], nic: Nic) -> "Iterator[tuple[Ordered, str]]":
    """What a rule sets on this NIC, with the words that say so."""
    if not all(_holds(token, nic) for token in rule):
        return
    network = any(key == "SUBSYSTEM" for key, *dummy in rule)
    for key, attribute, operator, value in rule:
        if operator in ("==", "!="):
            continue
        if key == "ATTR" and attribute in _ATTRIBUTES and network:
            setting = _ATTRIBUTES[attribute]
            yield Ordered(nic.name, setting, setting.value, words.number(value)), f"ATTR{{{attribute}}}"
        elif key in ("RUN", "PROGRAM"):
            for each in commands.ordered(value.replace('\\"', '"')):
                if each.device in (*_INTERFACE, nic.name):
                    yield each, key


def _holds(token: Token, nic: Nic) -> bool:
    """A condition that cannot be judged here holds."""
    key, attribute, operator, value = token
    if operator not in ("==", "!="):
        return True
    facts: Mapping[str, str] = {"SUBSYSTEM": "net", "KERNEL": nic.name, "NAME": nic.name, "DRIVERS": nic.driver}
    facts = {**facts, "ENV": nic.driver} if attribute == "ID_NET_DRIVER" else facts
    if key == "ATTR" and attribute == "address":
        facts = {**facts, "ATTR": nic.mac}
    if key == "ACTION":
        return _matches(value, "add") is (operator == "==")
    if key not in facts:
        return True
    return _matches(value, facts[key]) is (operator == "==")


def _matches(pattern: str, text: str) -> bool:
    return any(fnmatch.fnmatchcase(text, each) for each in pattern.split("|"))
