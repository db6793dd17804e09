# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``ethtool``, ``ip link`` and ``ifconfig`` commands in other managers' files would set: pure.

No shell is imitated. A command whose words cannot be told (substitutions, loops) gives what is plain in it.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Callable, Iterator, List, Mapping, Optional, Sequence

from ..model.settings import Setting, Value
from . import words


@dataclass(frozen=True)
class Ordered:
    """One value that a command sets; ``device`` as it stands there, ``$IFACE`` or ``%k`` too."""

    device: str
    setting: Setting
    key: str
    value: Optional[Value]


_SEPARATORS = frozenset({";", "&&", "||", "|", "&", "\n"})
_ETHTOOL = {
    **dict.fromkeys(("-G", "--set-ring"), Setting.RINGS),
    **dict.fromkeys(("-C", "--coalesce"), Setting.COALESCE),
    **dict.fromkeys(("-L", "--set-channels"), Setting.CHANNELS),
    **dict.fromkeys(("-K", "--features", "--offload"), Setting.FEATURES),
    **dict.fromkeys(("-A", "--pause"), Setting.PAUSE),
    "--set-priv-flags": Setting.PRIVATE_FLAGS,
    "--set-eee": Setting.EEE,
    "--set-fec": Setting.FEC,
    **dict.fromkeys(("-X", "--set-rxfh-indir", "--rxfh"), Setting.RSS),
    **dict.fromkeys(("-N", "-U", "--config-nfc", "--config-ntuple"), Setting.NTUPLE),
}
_RSS = {"equal": "indirection", "weight": "indirection", "default": "indirection", "hkey": "key", "hfunc": "function"}


def ordered(text: str) -> List[Ordered]:
    """Everything that the commands in ``text`` set, in their order."""
    return list(_ordered(text, nested=True))


def _ordered(text: str, nested: bool) -> Iterator[Ordered]:
    for command in _commands(text):
        for index, word in enumerate(command):
            reader = _PROGRAMS.get(word.rpartition("/")[2])
            if reader:
                yield from reader(command[index + 1 :])
                break
            if nested and re.search(r"\s", word):  # sh -c 'ethtool -G ...'
                yield from _ordered(word, nested=False)


def _commands(text: str) -> List[List[str]]:
    try:
        lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|\n")
        lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
        found = list(lexer)
    except ValueError:  # a quote that never ends
        found = text.split()
    commands: List[List[str]] = [[]]
    for word in found:
        if word in _SEPARATORS or set(word) <= set(";&|\n"):
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def _ethtool(arguments: Sequence[str]) -> Iterator[Ordered]:
    if len(arguments) < 3 or arguments[0] not in _ETHTOOL:
        return
    setting, device, rest = _ETHTOOL[arguments[0]], arguments[1], list(arguments[2:])
    if setting is Setting.RSS:
        for key in dict.fromkeys(_RSS[word] for word in rest if word in _RSS):
            yield Ordered(device, setting, key, None)
    elif setting is Setting.NTUPLE:
        yield _flow(device, rest)
    elif setting is Setting.FEC:
        yield Ordered(device, setting, "encoding", words.fec_of(" ".join(rest[1:])))
    else:
        if setting is Setting.EEE:
            rest = ["enabled" if word == "eee" else word for word in rest]
        for key, value in words.pairs(setting, rest).items():
            yield Ordered(device, setting, key, value)


def _flow(device: str, rest: Sequence[str]) -> Ordered:
    if rest[0] == "rx-flow-hash" and len(rest) >= 3:
        return Ordered(device, Setting.RSS_FIELDS, rest[1], rest[2])
    return Ordered(device, Setting.NTUPLE, "rules", None)


def _ip(arguments: Sequence[str]) -> Iterator[Ordered]:
    if list(arguments[:1]) not in (["link"], ["l"]) or list(arguments[1:2]) not in (["set"], ["s"]):
        return
    rest = [word for word in arguments[2:] if word != "dev"]
    yield from _link(rest[:1], rest[1:])


def _ifconfig(arguments: Sequence[str]) -> Iterator[Ordered]:
    yield from _link(arguments[:1], arguments[1:])


def _link(device: Sequence[str], rest: Sequence[str]) -> Iterator[Ordered]:
    for key, text in zip(rest, rest[1:]):
        setting = {"mtu": Setting.MTU, "txqueuelen": Setting.TXQUEUELEN, "txqlen": Setting.TXQUEUELEN}.get(key)
        if setting:
            yield Ordered(device[0], setting, setting.value, words.number(text))


_PROGRAMS: Mapping[str, Callable[[Sequence[str]], Iterator[Ordered]]] = {
    "ethtool": _ethtool,
    "ip": _ip,
    "ifconfig": _ifconfig,
}
