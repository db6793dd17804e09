# SPDX-License-Identifier: GPL-3.0-or-later
"""The distribution's libbpf through ctypes: the library, its messages, its errors.

Everything that differs between kernels, loaders and objects (relocation, feature probes, BTF
sanitising) is left to libbpf; these wrappers only give its calls types and turn its negative
return values into :class:`~wirespeed.errors.KernelRefusal`. Needs libbpf 1.1 or later.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from types import TracebackType
from typing import Any, List, Optional, Sequence, Tuple, Type, TypeVar

from ..errors import KernelRefusal, MissingPrerequisite

OLDEST = (1, 1)
LONGEST_MESSAGE = 8192
_WARNINGS_AND_INFO = 1  # enum libbpf_print_level: WARN 0, INFO 1, DEBUG 2

_PRINT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


class Options(ctypes.Structure):
    """A libbpf ``*_opts`` structure: its first member tells the library which version this is."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.sz = ctypes.sizeof(self)


class _Messages:
    """What libbpf printed since the last :meth:`clear`; it prints reasons that errno cannot hold."""

    def __init__(self) -> None:
        self.lines: List[str] = []
        self._vsnprintf = ctypes.CDLL(None).vsnprintf
        self._vsnprintf.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p]
        self.callback = _PRINT(self._take)  # kept alive here: the library holds a bare pointer

    def _take(self, level: int, text: int, arguments: int) -> int:
        # A va_list arrives as a pointer: it is an array on x86-64 and passed by reference on arm64.
        if level <= _WARNINGS_AND_INFO:
            buffer = ctypes.create_string_buffer(LONGEST_MESSAGE)
            self._vsnprintf(buffer, LONGEST_MESSAGE, text, arguments)
            self.lines.append(buffer.value.decode("utf-8", "replace").strip().removeprefix("libbpf: "))
        return 0

    def clear(self) -> None:
        self.lines.clear()


messages = _Messages()


@cache
def library() -> ctypes.CDLL:
    """Raises :class:`MissingPrerequisite` when libbpf.so.1 is absent or older than 1.1."""
    try:
        lib = ctypes.CDLL("libbpf.so.1", use_errno=True)
    except OSError as error:
        raise MissingPrerequisite(
            f"libbpf.so.1, the kernel's own BPF loader, cannot be opened: {error}.",
            "Install it: package libbpf1 on Debian and Ubuntu, libbpf on Fedora and RHEL.",
        ) from error
    found = (lib.libbpf_major_version(), lib.libbpf_minor_version())
    if found < OLDEST:
        raise MissingPrerequisite(
            f"libbpf is {found[0]}.{found[1]}, but {OLDEST[0]}.{OLDEST[1]} or later is needed.",
            "Upgrade package libbpf1 (Debian 12 has 1.1).",
        )
    lib.libbpf_set_print.argtypes = [_PRINT]
    lib.libbpf_set_print.restype = ctypes.c_void_p
    lib.libbpf_set_print(messages.callback)
    return lib


def version() -> str:
    """``1.1``: for reports."""
    return f"{library().libbpf_major_version()}.{library().libbpf_minor_version()}"


@cache
def function(name: str, result: Any, *arguments: Any) -> Any:
    """The typed library function ``name``. Libbpf 1.x returns -errno, also for fds."""
    found = getattr(library(), name)
    found.restype = result
    found.argtypes = arguments
    return found


def check(result: int, call: str, remedy: str = "") -> int:
    """``result`` when it is no error, else :class:`KernelRefusal` with libbpf's last words."""
    if result >= 0:
        return result
    reason = messages.lines[-1] if messages.lines else ""
    if not remedy and -result == 1:
        remedy = "BPF needs root, or CAP_BPF and CAP_NET_ADMIN."
    raise KernelRefusal(call, -result, reason, remedy)


def call(name: str, result: int, remedy: str = "") -> int:
    """:func:`check` for a call during which libbpf itself prints nothing of use."""
    if result < 0:
        messages.clear()
    return check(result, name, remedy)


@cache
def possible_cpus() -> int:
    """How many values a per-CPU map holds for each key."""
    return check(function("libbpf_num_possible_cpus", ctypes.c_int)(), "libbpf_num_possible_cpus")


_H = TypeVar("_H", bound="Handle")


class Handle:
    """An open file descriptor of a BPF object; closes it at the end of a ``with``."""

    KIND = ""
    """The kernel's name of the anonymous inode: ``bpf-map``, ``bpf-prog`` or ``bpf-link``."""

    def __init__(self, fd: int, name: str = "") -> None:
        self.fd = fd
        self.name = name or f"fd {fd}"

    @classmethod
    def pinned(cls: Type[_H], path: str) -> _H:
        """Opens a pin. Raises KernelRefusal (ENOENT, or EINVAL when it pins another kind)."""
        get = function("bpf_obj_get", ctypes.c_int, ctypes.c_char_p)
        handle = cls(call(f"bpf_obj_get {path}", get(os.fsencode(path))), os.path.basename(path))
        kind = os.readlink(f"/proc/self/fd/{handle.fd}")
        if cls.KIND not in kind.replace("_", "-"):  # a link's is also spelt bpf_link (bpf_link_prime)
            handle.close()
            raise KernelRefusal(f"bpf_obj_get {path}", 22, f"this pin holds a {kind}, not a {cls.KIND}")
        return handle

    @classmethod
    def by_id(cls: Type[_H], number: int) -> _H:
        """Raises KernelRefusal (ENOENT when nothing has this id any more)."""
        get = function(cls._BY_ID, ctypes.c_int, ctypes.c_uint32)
        return cls(call(f"{cls._BY_ID} {number}", get(number)), f"id {number}")

    _BY_ID = ""

    def pin(self, path: str) -> None:
        """Raises KernelRefusal (EEXIST when the path is taken, EINVAL when it is not on bpffs)."""
        pin = function("bpf_obj_pin", ctypes.c_int, ctypes.c_int, ctypes.c_char_p)
        call(f"bpf_obj_pin {path}", pin(self.fd, os.fsencode(path)))

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self: _H) -> _H:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


def object_info(handle: Handle, info: ctypes.Structure) -> None:
    """Fills ``info`` (a ``bpf_*_info``); members that this kernel does not know stay zero."""
    get = function(
        "bpf_obj_get_info_by_fd",
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_uint32),
    )
    size = ctypes.c_uint32(ctypes.sizeof(info))
    call(f"bpf_obj_get_info_by_fd {handle.name}", get(handle.fd, ctypes.byref(info), ctypes.byref(size)))


def ids(next_id: str) -> Sequence[int]:
    """All ids that ``bpf_{prog,map,link}_get_next_id`` walks, oldest first."""
    step = function(next_id, ctypes.c_int, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32))
    found: List[int] = []
    at = ctypes.c_uint32(0)
    while step(at.value, ctypes.byref(at)) == 0:
        found.append(at.value)
    return found


def fields(*pairs: Tuple[str, Any]) -> List[Tuple[str, Any]]:
    """Members of an ``*_opts`` structure, behind its size."""
    return [("sz", ctypes.c_size_t), *pairs]
