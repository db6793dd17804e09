# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error that a user can cause, as one paragraph: what, where, the value, and what to do.

A front (module or command line) catches :class:`WirespeedError` alone; anything else that
escapes is a defect of ours.
"""

from __future__ import annotations

import errno as _errno
import os
from dataclasses import dataclass
from typing import Any, Mapping, Optional


class WirespeedError(Exception):
    """Base of all errors shown to a user.

    ``remedy`` is the sentence that says what to do; it is empty where nothing can be said.
    ``nothing_changed`` is set by a step that failed before it touched anything: it needs no undo.
    ``unsupported``: what was asked for, this host, NIC, driver or kernel cannot have.
    """

    unsupported = False

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.nothing_changed = False

    def __str__(self) -> str:
        return f"{self.problem} {self.remedy}".strip()


@dataclass(frozen=True)
class Place:
    """Where a piece of input came from: ``intent`` or a file, and the line when there is one."""

    source: str
    line: Optional[int] = None

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


class BadInput(WirespeedError):
    """A document (profile, manifest, intent, table) that says something impossible."""

    def __init__(self, place: Place, field: str, problem: str, remedy: str = "") -> None:
        super().__init__(f"{place}: {field}: {problem}" if field else f"{place}: {problem}", remedy)
        self.place = place
        self.field = field
        self.detail = problem

    def at(self, place: Place) -> BadInput:
        """The same mistake, told with a better place."""
        return type(self)(place, self.field, self.detail, self.remedy)


class Lacking(BadInput):
    """An intent that asks a NIC for what its driver does not have."""

    unsupported = True


class MissingPrerequisite(WirespeedError):
    """The node lacks something: root, bpffs, libbpf, a Python library."""

    unsupported = True


class Refused(WirespeedError):
    """The plan cannot be carried out as intended; nothing was changed.

    ``outcome`` is what was found out all the same, as plain data: deviations, steps, warnings.
    """

    outcome: Mapping[str, Any] = {}


class KernelRefusal(WirespeedError):
    """The kernel said no to one call.

    ``call`` names the interface and the object (``ethtool RINGS_SET enp1s0``), ``code`` is the
    positive errno, ``reason`` the kernel's own extack text (empty when it gave none).
    """

    def __init__(self, call: str, code: int, reason: str = "", remedy: str = "") -> None:
        # Python's table has ENOTSUP, glibc's other name of the same number; the kernel has this one alone.
        name = "EOPNOTSUPP" if code == _errno.EOPNOTSUPP else _errno.errorcode.get(code, str(code))
        text = f"{call}: {name} ({os.strerror(code)})"
        text += f": the kernel says: {reason}" if reason else "; the kernel gave no reason text"
        super().__init__(text + ".", remedy)
        self.call = call
        self.code = code
        self.reason = reason


class NotSupported(KernelRefusal):
    """EOPNOTSUPP: this driver or kernel has no such operation. Often an ordinary answer."""

    def __init__(self, call: str, reason: str = "") -> None:
        super().__init__(call, _errno.EOPNOTSUPP, reason)


class ToolFailed(WirespeedError):
    """A program of another maker failed: ``said`` is its own words, empty where it had none."""

    def __init__(self, call: str, problem: str, said: str = "") -> None:
        super().__init__(f"{call}: {problem}{': ' if said else ''}{said.rstrip('.')}.")
        self.call = call
        self.said = said


class ReadBackMismatch(WirespeedError):
    """A call succeeded, but the value read back is not the one that was written."""


class Busy(WirespeedError):
    """Another run holds this node's lock."""


class OutOfRange(WirespeedError):
    """A wanted value that this NIC cannot hold; ``allowed`` is a sentence part: ``1 to 8``."""

    unsupported = True

    def __init__(self, key: str, value: object, allowed: str) -> None:
        super().__init__(f"{key} = {value!r} is not possible here; allowed: {allowed}.")
        self.key = key
        self.value = value
        self.allowed = allowed
