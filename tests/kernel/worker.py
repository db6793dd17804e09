# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a Python function in a forked process, in another network namespace, and brings result or exception back.

Only the network namespace changes: mounts stay, so bpffs and the test's own folders are visible. (`ip netns exec`
would mount a new /sys, and bpffs would be gone.) What the function opens, BPF objects included, dies with the worker.
"""

from __future__ import annotations

import ctypes
import io
import os
import pickle
import select
import signal
import traceback
from pathlib import Path
from typing import Any, Callable, Optional, Tuple, Type

CLONE_NEWNET = 0x40000000


class WorkerFailed(Exception):
    """The worker died without an answer, or its answer could not be carried."""


class WorkerTraceback(Exception):
    """The worker's own traceback, shown as the cause of the exception that it raised."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def enter_network(namespace: Path) -> None:
    """``setns(2)`` into a network namespace given by its file."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(namespace, os.O_RDONLY)
    try:
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"setns: {os.strerror(code)}", str(namespace))
    finally:
        os.close(descriptor)


def run(namespace: Path, function: Callable[..., Any], *arguments: Any, timeout: float = 120.0, **named: Any) -> Any:
    """``function(*arguments, **named)`` as a process in ``namespace``; ``timeout`` in seconds, then it is killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(writer, namespace, function, arguments, named)
    os.close(writer)
    try:
        answer = _read(reader, timeout)
    finally:
        os.close(reader)
        if not _ended(child):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    if answer is None:
        raise WorkerFailed(f"{function.__name__} gave no answer within {timeout} s in {namespace.name}")
    return _unpack(answer, function.__name__)


def _child(writer: int, namespace: Path, function: Callable[..., Any], arguments: Any, named: Any) -> None:
    """Never returns: the child must not go on with the parent's test run."""
    try:
        enter_network(namespace)
        answer = _pack(True, function(*arguments, **named))
    except BaseException as error:  # carried to the parent, whatever it is
        answer = _pack(False, (error, traceback.format_exc()))
    try:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(answer)
    finally:
        os._exit(0)


class _Pickler(pickle.Pickler):
    """Takes exceptions apart, wherever they are: one whose constructor takes other arguments cannot be unpickled."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, BaseException):
            return _without_constructor, (type(value), value.args), dict(value.__dict__)
        return NotImplemented


def _without_constructor(kind: Type[BaseException], arguments: Tuple[Any, ...]) -> BaseException:
    error: BaseException = kind.__new__(kind, *arguments)
    error.args = arguments
    return error


def _pack(good: bool, value: Any) -> bytes:
    try:
        return _dumped((good, value))
    except Exception as error:
        shown = value[1] if not good else f"the result {value!r} cannot be carried: {error}"
        return _dumped((False, (WorkerFailed(shown), shown)))


def _dumped(value: Any) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer).dump(value)
    return buffer.getvalue()


def _read(reader: int, timeout: float) -> Optional[bytes]:
    """All bytes until the worker closes its end; None when it takes longer than ``timeout`` between two pieces."""
    pieces = []
    while True:
        ready, _, _ = select.select([reader], [], [], timeout)
        if not ready:
            return None
        piece = os.read(reader, 1 << 16)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


def _ended(child: int) -> bool:
    """Reap a worker that has answered or died; one that has answered is about to exit."""
    pid, _ = os.waitpid(child, os.WNOHANG)
    if pid:
        return True
    descriptor = os.pidfd_open(child)
    try:
        ready, _, _ = select.select([descriptor], [], [], 1.0)
    finally:
        os.close(descriptor)
    if ready:
        os.waitpid(child, 0)
    return bool(ready)


def _unpack(answer: bytes, name: str) -> Any:
    if not answer:
        raise WorkerFailed(f"{name} died without an answer")
    good, value = pickle.loads(answer)  # written by our own child, through a pipe nobody else holds
    if good:
        return value
    error, trace = value
    raise error from WorkerTraceback(trace)
