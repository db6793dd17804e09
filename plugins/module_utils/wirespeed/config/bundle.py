# SPDX-License-Identifier: GPL-3.0-or-later
"""A compiled document as a file, so that a fleet's nodes load what one machine compiled.

::

    WSCONFIG  u32 format  u32 length of the header  sha256 of the header  header (JSON)
    for each table of the header: its keys, its values

Numbers are little-endian; rows are in the byte order of the machine that compiled them, which the layout names. The
header gives the sizes of all that follows, so that a file cut short or grown is no bundle, and the digest of the rows.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import struct
from pathlib import Path
from typing import Any, Dict, List, Tuple

from ..errors import BadInput, Place
from ..whole_file import replacing
from .compiled import Compiled
from .packed import Packed

FORMAT = 1
LARGEST_FILE = 4 << 30
LARGEST_HEADER = 1 << 20
MOST_TABLES = 1024
_START = struct.Struct("<8sII32s")
_MAGIC = b"WSCONFIG"
_LARGEST_ITEM = 1 << 20  # bytes of a key or a value; KMALLOC_MAX_SIZE bounds them far below (kernel/bpf/hashtab.c)
_REMEDY = "Compile the document again, and copy the bundle whole."


def write(compiled: Compiled, path: Path) -> None:
    """Whole or not at all, readable by its owner alone. Raises :class:`WirespeedError`."""
    tables = sorted(compiled.tables.items())
    header = json.dumps(
        {
            "pipeline": compiled.pipeline,
            "schema": compiled.schema,
            "layout": compiled.layout,
            "digest": compiled.digest,
            "tables": [[name, packed.key_size, packed.value_size, packed.count] for name, packed in tables],
        },
        sort_keys=True,
    ).encode()
    start = _START.pack(_MAGIC, FORMAT, len(header), hashlib.sha256(header).digest())
    with replacing(path) as file:
        file.write(start + header)
        for dummy, packed in tables:
            file.write(packed.keys)
            file.write(packed.values)


def is_bundle(path: Path) -> bool:
    """Whether a file begins as one. Raises :class:`BadInput` for a file that cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise BadInput(Place(str(path)), "", f"cannot be read: {error.strerror}.") from None


def read(path: Path) -> Compiled:
    """The rows are views of the file, not copies: ``write`` never changes a file in place.

    Raises :class:`BadInput` for anything that is not a whole bundle. Whether it is one for this node says
    :meth:`Compiled.check`.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not _START.size <= size <= LARGEST_FILE:
                raise _bad(path, "", f"has {size} bytes, which no bundle has.")
            # A private mapping is writable, which ctypes wants of memory that it hands on.
            data = memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY))
    except OSError as error:
        raise BadInput(Place(str(path)), "", f"cannot be read: {error.strerror}.") from None
    header, body = _header(path, data)
    try:
        found = _compiled(header, body)
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(path, "header", f"cannot be read ({error}).") from None
    if found.digest != header["digest"]:
        raise _bad(path, "digest", "is not that of the rows: the bundle is damaged.")
    return found


def _header(path: Path, data: memoryview) -> Tuple[Dict[str, Any], memoryview]:
    magic, version, length, digest = _START.unpack_from(data)
    if magic != _MAGIC:
        raise _bad(path, "", "is no bundle of a configuration.")
    if version != FORMAT:
        raise _bad(path, "format", f"is {version}, not {FORMAT}.")
    end = _START.size + length
    if length > LARGEST_HEADER or end > len(data):
        raise _bad(path, "header", f"has {length} bytes, but {len(data) - _START.size} follow.")
    text = bytes(data[_START.size : end])
    if hashlib.sha256(text).digest() != digest:
        raise _bad(path, "header", "is not what was written: the bundle is damaged.")
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise _bad(path, "header", "is not JSON.") from None
    if not isinstance(header, dict):
        raise _bad(path, "header", "is no mapping.")
    return header, data[end:]


def _compiled(header: Dict[str, Any], body: memoryview) -> Compiled:
    """Raises KeyError, TypeError or ValueError for a header that does not describe the body."""
    tables: Dict[str, Packed] = {}
    at = 0
    for name, key_size, value_size, count in _listed(header["tables"]):
        _bounded(key_size, 1, _LARGEST_ITEM)
        _bounded(value_size, 0, _LARGEST_ITEM)
        _bounded(count, 0, len(body))
        values = at + key_size * count
        end = values + value_size * count
        if name in tables or end > len(body):
            raise ValueError(f"table {name!r} stands twice, or its rows are not all there")
        tables[name] = Packed(key_size, value_size, body[at:values], body[values:end])
        at = end
    if at != len(body):
        raise ValueError(f"{len(body) - at} bytes follow the last table")
    _bounded(header["schema"], 1, 1 << 31)
    return Compiled(_text(header["pipeline"]), header["schema"], _text(header["layout"]), tables)


def _listed(tables: Any) -> List[Tuple[str, int, int, int]]:
    if not isinstance(tables, list) or len(tables) > MOST_TABLES:
        raise ValueError(f"no list of at most {MOST_TABLES} tables")
    return [(_text(name), key_size, value_size, count) for name, key_size, value_size, count in tables]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]} is no text")
    return value


def _bounded(value: Any, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{str(value)[:40]} is no number from {least} to {most}")


def _bad(path: Path, field: str, problem: str) -> BadInput:
    return BadInput(Place(str(path)), field, problem, _REMEDY)
