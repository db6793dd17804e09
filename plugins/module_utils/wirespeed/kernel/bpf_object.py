# SPDX-License-Identifier: GPL-3.0-or-later
"""A BPF object between opening and loading: choose programs, set constants, size and share maps."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import re
from types import TracebackType
from typing import Dict, Iterator, List, Optional, Sequence, Tuple, Type

from ..errors import BadInput, KernelRefusal, Place, WirespeedError
from .bpf_map import BpfMap
from .bpf_prog import BPF_XDP, XDP, BpfProgram
from .libbpf import Options, call, check, fields, function, messages

LOG_BYTES = 16 << 20  # the verifier's largest log; pages are only taken when written
LOG_TAIL = 15
_INT, _PTR, _STR = ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p


class _OpenOptions(Options):
    _fields_ = fields(("object_name", ctypes.c_char_p))


class VerifierRejection(WirespeedError):
    """The kernel's verifier refused a program. ``log`` is its whole log."""

    def __init__(self, obj: str, program: str, code: int, log: str) -> None:
        lines = [line for line in log.splitlines() if line.strip() and not line.startswith("processed ")]
        shown = "\n".join(f"    {line}" for line in lines[-LOG_TAIL:])
        super().__init__(
            f"{obj}: the kernel's verifier rejected program '{program}' ({errno.errorcode.get(code, code)}). "
            f"The end of its log:\n{shown}\n",
            "The last lines name the instruction, and the source line after ';'. Correct the program and build "
            "it again; what was running before still runs.",
        )
        self.program = program
        self.code = code
        self.log = log


class BpfObject:
    """Opened from bytes; nothing is in the kernel before :meth:`load`, and nothing stays
    after the ``with`` but what was pinned."""

    def __init__(self, data: bytes, name: str) -> None:
        """Raises :class:`BadInput` when libbpf cannot read the object."""
        messages.clear()
        open_mem = function("bpf_object__open_mem", _PTR, _PTR, ctypes.c_size_t, _PTR)
        self.name = name
        self._data = data  # libbpf reads the ELF image until it is closed
        options = _OpenOptions(object_name=name.encode())
        self._object = open_mem(data, len(data), ctypes.byref(options))
        if not self._object:
            reason = "; ".join(messages.lines)
            # No kernel was asked yet; libbpf's own codes above 4000 say less than its messages.
            raise BadInput(Place(name), "", f"libbpf cannot read this object: {reason}.", "Build it again.")
        self._names: Dict[int, str] = {}
        self._templates: List[BpfMap] = []
        self._maps = dict(self._walk("map"))
        self._unpin()

    def _unpin(self) -> None:
        """Where an author has written LIBBPF_PIN_BY_NAME, load() would pin, or take over, maps by their bare names."""
        forget = function("bpf_map__set_pin_path", _INT, _PTR, _STR)
        for name, found in self._walk("map"):
            call(f"bpf_map__set_pin_path {name}", forget(found, None))

    def _walk(self, kind: str) -> Iterator[Tuple[str, int]]:
        step = function(f"bpf_object__next_{kind}", _PTR, _PTR, _PTR)
        name = function(f"bpf_{kind}__name", _STR, _PTR)
        found = step(self._object, None)
        while found:
            # bpf_map__reuse_fd() renames a map to what the other one is called.
            yield self._names.setdefault(found, name(found).decode()), found
            found = step(self._object, found)

    def _map(self, name: str) -> int:
        """libbpf puts the object's name before those of its own maps: ``small.bss``."""
        found = self._maps
        return found[name] if name in found else next(at for full, at in found.items() if full.endswith(name))

    def only(self, programs: Sequence[str]) -> None:
        """Leaves every other program of the object out, and loads these as XDP whatever their section is called.

        libbpf 1.x knows no section but "xdp" and "xdp.frags"; older objects have names like "xdp_prog".
        """
        choose = function("bpf_program__set_autoload", _INT, _PTR, ctypes.c_bool)
        set_type = function("bpf_program__set_type", _INT, _PTR, _INT)
        set_attach_type = function("bpf_program__set_expected_attach_type", _INT, _PTR, _INT)
        for name, program in self._walk("program"):
            call(f"bpf_program__set_autoload {name}", choose(program, name in programs))
            if name in programs:
                call(f"bpf_program__set_type {name}", set_type(program, XDP))
                # Linux 6.18 keeps programs of another expected attach type out of a program array.
                call(f"bpf_program__set_expected_attach_type {name}", set_attach_type(program, BPF_XDP))

    def at_exit_of(self, target: BpfProgram, function_name: str) -> None:
        """Loads the object's programs for the exit of a function of ``target``, a loaded program with BTF."""
        choose = function("bpf_program__set_attach_target", _INT, _PTR, _INT, _STR)
        messages.clear()
        for dummy, program in self._walk("program"):
            check(choose(program, target.fd, function_name.encode()), f"fexit of {function_name} in {target.name}")

    def patch_rodata(self, patches: Dict[int, bytes]) -> None:
        """Overwrites bytes of .rodata at the given offsets before the kernel freezes it."""
        if not patches:
            return
        pointer = next(found for name, found in self._walk("map") if name.endswith(".rodata"))
        size = ctypes.c_size_t()
        initial = function("bpf_map__initial_value", _PTR, _PTR, ctypes.POINTER(ctypes.c_size_t))
        start = initial(pointer, ctypes.byref(size))
        for offset, value in patches.items():
            if offset + len(value) > size.value:
                raise KernelRefusal(f"{self.name}: .rodata of {size.value} bytes", errno.ERANGE)
            ctypes.memmove(start + offset, value, len(value))

    def resize(self, name: str, max_entries: int) -> None:
        resize = function("bpf_map__set_max_entries", _INT, _PTR, ctypes.c_uint32)
        call(f"bpf_map__set_max_entries {name}", resize(self._map(name), max_entries))

    def set_flags(self, name: str, flags: int) -> None:
        """In place of all that the map was declared with."""
        choose = function("bpf_map__set_map_flags", _INT, _PTR, ctypes.c_uint32)
        call(f"bpf_map__set_map_flags {name}", choose(self._map(name), flags))

    def template(self, name: str, inner: BpfMap) -> None:
        """What the maps in a map of maps are to be like. Closes ``inner`` with this object.

        (libbpf 1.1 cannot resize the one that the object has: bpf_map__set_max_entries reads through a pointer that an
        inner map does not have.)
        """
        choose = function("bpf_map__set_inner_map_fd", _INT, _PTR, _INT)
        call(f"bpf_map__set_inner_map_fd {name}", choose(self._map(name), inner.fd))
        self._templates.append(inner)

    def leave_out(self, name: str) -> None:
        """Makes no such map; libbpf then spoils each use of it, so only code that the verifier removes may have one."""
        choose = function("bpf_map__set_autocreate", _INT, _PTR, ctypes.c_bool)
        call(f"bpf_map__set_autocreate {name}", choose(self._map(name), False))

    def reuse(self, name: str, existing: BpfMap) -> None:
        """Uses ``existing`` in place of a new map. Compare layouts first: this compares nothing."""
        reuse = function("bpf_map__reuse_fd", _INT, _PTR, _INT)
        call(f"bpf_map__reuse_fd {name}", reuse(self._map(name), existing.fd))

    def load(self) -> None:
        """Raises :class:`VerifierRejection`, or KernelRefusal for anything else."""
        with mmap.mmap(-1, LOG_BYTES) as memory:
            # One buffer serves all programs: loading stops at the first failure, and only that writes.
            log = (ctypes.c_char * LOG_BYTES).from_buffer(memory)
            set_log = function("bpf_program__set_log_buf", _INT, _PTR, _PTR, ctypes.c_size_t)
            for dummy, program in self._walk("program"):
                set_log(program, ctypes.addressof(log), LOG_BYTES)
            messages.clear()
            result = function("bpf_object__load", _INT, _PTR)(self._object)
            text = log.value.decode("utf-8", "replace")
            for dummy, program in self._walk("program"):
                set_log(program, None, 0)
            del log  # the map cannot close while something points into it
        if result < 0:
            self._explain(-result, text)

    def _explain(self, code: int, log: str) -> None:
        said = "; ".join(messages.lines)
        named = re.search(r"prog '([^']+)'", said)
        if log.strip():
            raise VerifierRejection(self.name, named[1] if named else "?", code, log)
        remedy = ""
        if code == errno.EPERM:
            # libbpf guesses at ulimit -l here; since Linux 5.11 BPF memory is not charged to it.
            said = f"program '{named[1]}' was refused with an empty log" if named else ""
            remedy = "BPF needs root (CAP_BPF, CAP_NET_ADMIN), and a kernel that loads this program type."
        raise KernelRefusal(f"bpf_object__load {self.name}", code, said, remedy)

    def programs(self) -> Iterator[Tuple[str, BpfProgram]]:
        """The loaded programs; each handle is the caller's to close."""
        fd = function("bpf_program__fd", _INT, _PTR)
        for name, program in self._walk("program"):
            number = fd(program)
            if number >= 0:
                yield name, BpfProgram(os.dup(number), name)

    def maps(self) -> Iterator[Tuple[str, BpfMap]]:
        """The loaded maps, libbpf's own (.rodata) included; each handle is the caller's to close."""
        fd = function("bpf_map__fd", _INT, _PTR)
        for name, pointer in self._walk("map"):
            number = fd(pointer)
            if number >= 0:
                yield name, BpfMap(os.dup(number), name)

    def close(self) -> None:
        if self._object:
            function("bpf_object__close", None, _PTR)(self._object)
            self._object = None
        for template in self._templates:
            template.close()

    def __enter__(self) -> "BpfObject":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
