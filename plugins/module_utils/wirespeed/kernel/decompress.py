# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of kernel packages, whatever they are packed with: ``.ko``, ``.ko.xz``, ``.ko.zst``, ``.ko.gz``, bzImages."""

from __future__ import annotations

import lzma
import os
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

from ..errors import BadInput, MissingPrerequisite, Place

MAX_BYTES = 512 << 20
"""What a file may unpack to: a vmlinux without debug information has 30 to 100 MB."""

_TIMEOUT_SECONDS = 60.0
_XZ, _ZSTD, _GZIP, _LZMA = b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"\x1f\x8b", b"\x5d\x00\x00"
_BOOT_SIGNATURE = b"HdrS"


def read(path: Path) -> bytes:
    """The file's content, unpacked by what it begins with. Raises :class:`BadInput`, :class:`MissingPrerequisite`."""
    place = Place(str(path))
    try:
        with open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size  # read(n) would take memory for all of n
            data = stream.read(min(size, MAX_BYTES) + 1)
    except OSError as error:
        raise BadInput(place, "", f"cannot be read: {error.strerror}.") from None
    return unpack(data, place)


def unpack(data: bytes, place: Place) -> bytes:
    """As it is, where it is not compressed."""
    if data.startswith(_ZSTD):
        return _bounded(_zstd(data, place), place)
    try:
        if data.startswith((_XZ, _LZMA)):
            return _whole(lzma.LZMADecompressor(), data, place)
        if data.startswith(_GZIP):
            return _whole(zlib.decompressobj(wbits=31), data, place)
    except (lzma.LZMAError, zlib.error, EOFError) as error:
        raise _damaged(place, str(error)) from None
    return _bounded(data, place)


def kernel_image(path: Path) -> bytes:
    """The ELF file in a kernel's image: of a vmlinux itself, or of a bzImage.

    Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length. Raises as :func:`read`.
    """
    image = read(path)
    if image[0x202:0x206] == _BOOT_SIGNATURE:
        start, length = struct.unpack_from("<II", image, 0x248)
        begin = ((image[0x1F1] or 4) + 1) * 512 + start
        image = unpack(image[begin : begin + length], Place(str(path)))
    if not image.startswith(b"\x7fELF"):
        raise BadInput(Place(str(path)), "", "is no kernel image of a kind that can be read here (ELF or bzImage).")
    return image


def _whole(unpacker: Any, data: bytes, place: Place) -> bytes:
    """What is cut off is no error to these libraries."""
    found: bytes = _bounded(unpacker.decompress(data, MAX_BYTES + 1), place)
    if not unpacker.eof:
        raise _damaged(place, "it is cut off")
    return found


def _zstd(data: bytes, place: Place) -> bytes:
    """By the library if it is there, else by the command."""
    try:
        import zstandard
    except ImportError:
        return _zstd_by_command(data, place)
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    try:
        found: bytes = unpacker.decompress(data)
    except zstandard.ZstdError as error:
        raise _damaged(place, str(error)) from None
    if not getattr(unpacker, "eof", True):  # zstandard before 0.19 does not tell
        raise _damaged(place, "it is cut off")
    return found


def _zstd_by_command(data: bytes, place: Place) -> bytes:
    """A kernel's payload ends with its size, of which zstd(1) complains after it has written all."""
    program = shutil.which("zstd")
    if program is None:
        raise MissingPrerequisite(
            f"{place} is compressed with zstd, and nothing here can unpack it.",
            "Install python3-zstandard, or the package zstd.",
        )
    try:
        # The engine knows no AnsibleModule and its run_command, which takes and gives text besides.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            [program, "-dcq"], input=data, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _damaged(place, "zstd did not come to an end") from None
    if not done.stdout:
        raise _damaged(place, done.stderr.decode("utf-8", "replace").strip() or f"zstd ended with {done.returncode}")
    return done.stdout


def _bounded(data: bytes, place: Place) -> bytes:
    if len(data) > MAX_BYTES:
        raise BadInput(place, "", f"unpacks to more than {MAX_BYTES >> 20} MiB, so it is no file of a kernel.")
    return data


def _damaged(place: Place, how: str) -> BadInput:
    return BadInput(place, "", f"is damaged ({how}).", "Install the kernel's package again.")
