# SPDX-License-Identifier: GPL-3.0-or-later
"""Netlink conversations that keep the kernel's reason (extack) for every refusal.

Messages are encoded and decoded by pyroute2's ``genlmsg``, ``nlmsg`` and ``nla``; the layouts are
ours, because pyroute2 declares few of them. The conversation is ours too: pyroute2 0.7.2 repeats a
request that was answered EBUSY for nine seconds and reports a warning on a success as an error,
and its ethtool facade turns each refusal into an ioctl, which has no reason text.
"""

from __future__ import annotations

import atexit
import errno
import os
import socket
import struct
import sys
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple, Union

from ..errors import KernelRefusal, MissingPrerequisite, NotSupported

ROUTE = 0
GENERIC = 16

REQUEST = 0x001
ACK = 0x004
DUMP = 0x300

_ERROR, _DONE = 2, 3
_DUMP_INTERRUPTED, _CAPPED, _ACK_TLVS = 0x10, 0x100, 0x200
_SOL_NETLINK, _CAP_ACK, _EXT_ACK = 270, 10, 11
_HEADER = struct.Struct("=IHHII")
_REASON = 1  # NLMSGERR_ATTR_MSG
_DUMP_ATTEMPTS = 10
_RECEIVE_BYTES = 1 << 18

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Attribute:
    """``kind`` is one of pyroute2's atoms (``uint32``, ``asciiz``, ``flag``, ``cdata``) or a nest.

    A ``repeated`` attribute is a list of values, else the last one counts.
    """

    number: int
    key: str
    kind: Union[str, "Nest"]
    repeated: bool = False


@dataclass(frozen=True)
class Nest:
    attributes: Tuple[Attribute, ...]


@dataclass(frozen=True)
class Message:
    """A fixed head (pyroute2's ``fields``: name and struct format) followed by attributes."""

    head: Tuple[Tuple[str, str], ...]
    attributes: Tuple[Attribute, ...]


GENERIC_HEAD = (("cmd", "B"), ("version", "B"), ("reserved", "H"))


@dataclass(frozen=True)
class Reply:
    head: Mapping[str, Any]
    values: Mapping[str, Any]


def request(
    protocol: int, kind: int, message: Message, head: Fields, values: Fields, call: str, dump: bool = False
) -> List[Reply]:
    """Send one request, return its replies.

    ``kind`` is the netlink message type (a family id for generic netlink), ``call`` what a refusal
    names. Raises :class:`KernelRefusal`, :class:`NotSupported`, :class:`MissingPrerequisite`.
    """
    for _attempt in range(_DUMP_ATTEMPTS):
        conversation = _conversation(protocol)
        sequence = conversation.send(kind, message, head, values, DUMP if dump else ACK)
        replies, whole = conversation.receive(sequence, message, call)
        if whole:
            return replies
    raise KernelRefusal(call, errno.EINTR, "the list kept changing while it was read", "Run again.")


class _Conversation:
    """One socket. Requests and answers alternate; answers to earlier requests are dropped."""

    def __init__(self, protocol: int) -> None:
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self.socket.setsockopt(_SOL_NETLINK, _EXT_ACK, 1)
        self.socket.setsockopt(_SOL_NETLINK, _CAP_ACK, 1)
        self.socket.bind((0, 0))
        self.sequence = 0

    def send(self, kind: int, message: Message, head: Fields, values: Fields, flags: int) -> int:
        self.sequence += 1
        encoded = _codec(message)()
        encoded["header"].update({"type": kind, "flags": REQUEST | flags, "sequence_number": self.sequence, "pid": 0})
        for field, value in head.items():
            encoded[field] = value
        encoded["attrs"] = _to_attrs(message.attributes, values)
        encoded.encode()
        self.socket.send(bytes(encoded.data))
        return self.sequence

    def receive(self, sequence: int, message: Message, call: str) -> Tuple[List[Reply], bool]:
        """All replies, and whether they form one consistent list."""
        replies: List[Reply] = []
        whole = True
        while True:
            data = self.socket.recv(_RECEIVE_BYTES)
            for offset, kind, flags, answers in _frames(data):
                if answers != sequence:
                    continue
                whole = whole and not flags & _DUMP_INTERRUPTED
                if kind in (_ERROR, _DONE):
                    _raise_refusal(data, offset, kind, flags, call)
                    return replies, whole
                replies.append(_decode(message, data, offset))


def _frames(data: bytes) -> Iterator[Tuple[int, int, int, int]]:
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, flags, sequence, _pid = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size:
            return
        yield offset, kind, flags, sequence
        offset += (length + 3) & ~3


def _raise_refusal(data: bytes, offset: int, kind: int, flags: int, call: str) -> None:
    (length,) = struct.unpack_from("=I", data, offset)
    if length < _HEADER.size + 4:
        return
    (code,) = struct.unpack_from("=i", data, offset + _HEADER.size)
    if code < 0:
        raise refusal(call, -code, _reason(data, offset, length, kind, flags))


def refusal(call: str, code: int, reason: str = "") -> KernelRefusal:
    """The error for a positive errno."""
    if code == errno.EOPNOTSUPP:
        return NotSupported(call, reason)
    if code in (errno.EPERM, errno.EACCES):
        return KernelRefusal(call, code, reason, "Run as root (CAP_NET_ADMIN is needed).")
    return KernelRefusal(call, code, reason)


def _reason(data: bytes, offset: int, length: int, kind: int, flags: int) -> str:
    """The text of NLMSGERR_ATTR_MSG behind an ack (include/uapi/linux/netlink.h, struct nlmsgerr)."""
    if not flags & _ACK_TLVS:
        return ""
    position = offset + _HEADER.size + 4
    if kind == _ERROR:
        (echoed,) = struct.unpack_from("=I", data, position)
        position += _HEADER.size if flags & _CAPPED else (echoed + 3) & ~3
    while position + 4 <= offset + length:
        size, number = struct.unpack_from("=HH", data, position)
        if size < 4:
            break
        if number == _REASON:
            return data[position + 4 : position + size].rstrip(b"\0").decode("utf-8", "replace")
        position += (size + 3) & ~3
    return ""


_conversations: Dict[Tuple[int, int, int], _Conversation] = {}


def _conversation(protocol: int) -> _Conversation:
    """One socket per protocol, process and network namespace: a fork or setns never shares one."""
    key = (os.getpid(), os.stat("/proc/thread-self/ns/net").st_ino, protocol)
    if key not in _conversations:
        _conversations[key] = _Conversation(protocol)
    return _conversations[key]


def close() -> None:
    """Close every socket that this process opened."""
    for conversation in _conversations.values():
        conversation.socket.close()
    _conversations.clear()
    family.cache_clear()


atexit.register(close)


@cache
def family(name: str) -> int:
    """The id of a generic netlink family. Raises :class:`NotSupported` where the kernel lacks it."""
    try:
        (reply,) = request(
            GENERIC, 16, _CONTROL, {"cmd": 3, "version": 1}, {"name": name}, f"generic netlink family {name}"
        )
    except KernelRefusal as error:
        if error.code == errno.ENOENT:
            raise NotSupported(f"generic netlink family {name}, which this kernel lacks") from None
        raise
    return int(reply.values["id"])


_CONTROL = Message(GENERIC_HEAD, (Attribute(1, "id", "uint16"), Attribute(2, "name", "asciiz")))


@cache
def _load_library() -> None:
    """pyroute2's codec alone, where its package is a folder: the package itself imports all of its parts before.

    That is 0.10 of 0.12 s of processor time (0.7.2), of each run on each node. Raises :class:`MissingPrerequisite`.
    """
    folders = (os.path.join(place, "pyroute2") for place in sys.path)
    folder = next((each for each in folders if os.path.isfile(os.path.join(each, "__init__.py"))), None)
    if "pyroute2" not in sys.modules and folder is not None:
        package = sys.modules["pyroute2"] = ModuleType("pyroute2")
        package.__path__ = [folder]
        try:
            import pyroute2.netlink

            return
        except ImportError:  # a version whose parts need the whole
            for name in [name for name in sys.modules if name.startswith("pyroute2.")]:
                del sys.modules[name]
        finally:
            del sys.modules["pyroute2"]  # whoever imports it gets the whole
    try:
        import pyroute2.netlink  # noqa: F401
    except ImportError:
        raise MissingPrerequisite(
            "The Python library pyroute2 is missing.", "Install the package python3-pyroute2."
        ) from None


@cache
def _codec(message: Message) -> Any:
    """The pyroute2 class for a message."""
    _load_library()
    from pyroute2.netlink import nlmsg

    body = _class_body(message.attributes)
    body["fields"] = message.head
    return type("message", (nlmsg,), body)


def _class_body(attributes: Sequence[Attribute]) -> Dict[str, Any]:
    from pyroute2.netlink import NLA_F_NESTED, nla

    body: Dict[str, Any] = {"__slots__": ()}
    table: List[Tuple[int, str, str]] = []
    for attribute in attributes:
        kind = attribute.kind
        if isinstance(kind, Nest):
            inner = _class_body(kind.attributes)
            inner["nla_flags"] = NLA_F_NESTED
            kind = f"nest_{attribute.number}"
            body[kind] = type(kind, (nla,), inner)
        table.append((attribute.number, attribute.key, kind))
    body["nla_map"] = tuple(table)
    return body


def _to_attrs(attributes: Sequence[Attribute], values: Fields) -> List[List[Any]]:
    known = {attribute.key: attribute for attribute in attributes}
    attrs = []
    for key, given in values.items():
        attribute = known[key]
        for value in given if attribute.repeated else [given]:
            if isinstance(attribute.kind, Nest):
                value = {"attrs": _to_attrs(attribute.kind.attributes, value)}
            attrs.append([key, value])
    return attrs


def _decode(message: Message, data: bytes, offset: int) -> Reply:
    decoded = _codec(message)(data, offset=offset)
    decoded.decode()
    head = {field: decoded[field] for field, _format in message.head}
    return Reply(head, _from_attrs(message.attributes, decoded["attrs"]))


def _from_attrs(attributes: Sequence[Attribute], attrs: Sequence[Any]) -> Dict[str, Any]:
    known = {attribute.key: attribute for attribute in attributes}
    values: Dict[str, Any] = {attribute.key: [] for attribute in attributes if attribute.repeated}
    for slot in attrs:
        attribute = known.get(slot[0])
        if attribute is None:
            continue
        value = slot[1]
        if isinstance(attribute.kind, Nest):
            value = _from_attrs(attribute.kind.attributes, value["attrs"])
        if attribute.repeated:
            values[attribute.key].append(value)
        else:
            values[attribute.key] = value
    return values
