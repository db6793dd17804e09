# SPDX-License-Identifier: GPL-3.0-or-later
"""NVIDIA (Mellanox) firmware settings through mstconfig of mstflint, or mlxconfig of the vendor's own MFT.

Both have the same options and print the same tables. JSON (``-j FILE``) came after 4.21, which is what
Debian 12 ships, so the table that all versions print is read (mstflint, mlxconfig/mlxcfg_ui.cpp, 4.21 to
4.35)::

    Configurations:                              Default         Current         Next Boot
    *        NUM_OF_VFS                          8               5               5
             SRIOV_EN                            True(1)         True(1)         True(1)
             HOST_CHAINING_DESCRIPTORS           Array[0..7]     Array[0..7]     Array[0..7]
    The '*' shows parameters with next value different from default/current value.

``*`` is followed by ``RO`` in newer versions for what cannot be changed. Firmware that is too old tells no
default and no current values, and the columns are then absent. Errors go to stdout, marked ``-E-``, with
exit code 3.
"""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from ..errors import OutOfRange, ToolFailed
from ..model.settings import Value
from .firmware_tool import Parameter, run

PROGRAMS = ("mstconfig", "mlxconfig")
PACKAGE = "mstflint"

_NAME = r"[A-Za-z][A-Za-z0-9_]*(?:\[[0-9]+\])?"
_ROW = re.compile(rf"(?:\*|\s)\s*(RO\s+)?({_NAME})\s+(\S.*)")
_CHOICE = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)=<([^>]*)>")
_WORD = re.compile(r"(.+)\((\d+)\)")
_COLUMNS = {"Default": "default", "Current": "running", "Next": "after_reset"}
_VALUE = re.compile(r"[A-Za-z0-9_.+]+")
_NO_SUCH = re.compile(r"doesn't support \S+ parameter|Unknown Parameter", re.IGNORECASE)


def query(address: str, keys: Sequence[str]) -> Dict[str, Parameter]:
    """One call. Where the device lacks one of ``keys`` the tool tells nothing of the others: then one call each."""
    checked = [_checked(key) for key in keys]
    try:
        return parse(_run(address, "-e", "query", *checked))
    except ToolFailed as error:
        if not _NO_SUCH.search(error.said):
            raise
    if len(checked) < 2:
        return {}
    return {name: found for key in checked for name, found in query(address, [key]).items()}


def words(address: str) -> Mapping[str, Tuple[str, ...]]:
    """From the tool's own tables for this kind of device (``show_confs``); nothing is asked of the firmware."""
    found = (_CHOICE.match(line) for line in _run(address, "show_confs").splitlines())
    choices = {match[1]: tuple(match[2].split("|")) for match in found if match}
    return {name: each for name, each in choices.items() if len(each) > 1}


def write(address: str, values: Mapping[str, Value]) -> None:
    """``-y`` answers the one question whether to write; a reset is never agreed to (that would take ``-yy``)."""
    _run(address, "-y", "set", *(f"{_checked(key)}={_text(key, value)}" for key, value in values.items()))


def parse(output: str) -> Dict[str, Parameter]:
    """The rows of the table under ``Configurations:``. Arrays and what the tool could not read (N/A) are left out."""
    found: Dict[str, Parameter] = {}
    columns: List[str] = []
    for line in output.splitlines():
        if line.startswith("Configurations:"):
            titles = line.replace("Next Boot", "Next").split()[1:]
            columns = [_COLUMNS[title] for title in titles if title in _COLUMNS]
            continue
        row = _ROW.fullmatch(line.rstrip()) if columns else None
        texts = row[3].split() if row else []
        if row is None or len(texts) != len(columns):
            continue
        values = dict(zip(columns, map(_value, texts)))
        after_reset = values.pop("after_reset", None)
        if after_reset is not None:
            found[row[2]] = Parameter(after_reset, read_only=bool(row[1]), **values)
    return found


def _run(address: str, *arguments: str) -> str:
    return run(PROGRAMS, PACKAGE, ["-d", address, *arguments])


def _value(text: str) -> Optional[Value]:
    """``True(1)`` to True, ``ETH(2)`` to ETH, ``0x10(16)`` and ``16`` to 16; None for ``N/A`` and ``Array[0..7]``."""
    if text.isdecimal():
        return int(text)
    match = _WORD.fullmatch(text)
    if match is None:
        return None
    if match[1] in ("True", "False"):
        return match[1] == "True"
    return int(match[2]) if match[1].lower().startswith("0x") else match[1]


def _checked(key: str) -> str:
    """No name may be taken for an option or hold a second assignment."""
    if not re.fullmatch(_NAME, key):
        raise OutOfRange(f"firmware.{key}", key, "a parameter's name: SRIOV_EN, LINK_TYPE_P1, an array's NAME[5]")
    return key


def _text(key: str, value: Value) -> str:
    text = str(int(value)) if isinstance(value, bool) else str(value)
    if not _VALUE.fullmatch(text):
        raise OutOfRange(f"firmware.{key}", value, "a number or one word of letters, digits and '_'")
    return text
