# SPDX-License-Identifier: GPL-3.0-or-later
"""How a value of one layout becomes one of another: members are matched by their names, and moved.

A member may lie elsewhere, be new (zero) or gone (dropped), or be an integer that has become wider. Whatever would
change a number or need a guess is a problem, told in half a sentence.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from typing import Iterable, List, Optional, Sequence, Tuple

from ..kernel.btf import OPAQUE, Leaf

LARGEST_VALUE = 4096  # LARGEST_VALUE, bpf/handover.bpf.c
MOST = 32  # WS_MOVES, bpf/include/wirespeed_state.h
_MOVE = struct.Struct("<IIIBBH")
_TAKE, _SIGNED = 1, 2
_INTEGERS = ("u", "s")
_COUNTER_BYTES = (4, 8)  # what the BPF instruction set has atomic operations for
_WORDS = (8, 4, 2, 1)


@dataclass(frozen=True)
class Move:
    """``count`` elements of ``size`` bytes from byte ``start`` become elements of ``width`` bytes at byte ``to``.

    ``take``: a counter, which is taken out of its old place. ``signed``: widened by its sign.
    """

    start: int
    to: int
    count: int
    size: int
    width: int
    take: bool = False
    signed: bool = False

    def packed(self) -> bytes:
        """struct ws_move of bpf/include/wirespeed_state.h."""
        flags = _TAKE * self.take | _SIGNED * self.signed
        return _MOVE.pack(self.start, self.to, self.count, self.size, self.width, flags)

    @property
    def plain(self) -> bool:
        return self.size == self.width and not self.take


@dataclass(frozen=True)
class Conversion:
    """``problems`` say why it is none; ``dropped`` names members that the new layout lacks."""

    moves: Tuple[Move, ...] = ()
    problems: Tuple[str, ...] = ()
    dropped: Tuple[str, ...] = ()


@dataclass
class _Found:
    moves: List[Move] = field(default_factory=list)
    problems: List[str] = field(default_factory=list)


def table(moves: Sequence[Move]) -> bytes:
    """struct ws_moves."""
    return len(moves).to_bytes(4, "little") + b"".join(move.packed() for move in moves)


def whole(value_size: int) -> Tuple[Move, ...]:
    """A value that has not changed."""
    return (_block(0, 0, value_size),)


def convert(old: Sequence[Leaf], new: Sequence[Leaf], sums: Sequence[str], all_sums: bool = False) -> Conversion:
    """``sums`` are members that count, named as in the manifest; ``all_sums``: every member does."""
    old, new = _bits_together(old), _bits_together(new)
    before = {leaf.path: leaf for leaf in old}
    found = _Found()
    for name in sums:
        if not any(_within(leaf.path, name) for leaf in new):
            found.problems.append(f"sums: there is no member {name}")
    previous = None
    for leaf in sorted(new, key=lambda leaf: leaf.offset):
        source = before.get(leaf.path)
        if source is None:
            previous = None
            continue
        counts = all_sums or any(_within(leaf.path, name) for name in sums)
        move = _moved(source, leaf, counts, found)
        if move is not None:
            previous = _joined(found.moves, previous, move)
    found.problems += _overlaps(found.moves)
    moves = tuple(_block(move.start, move.to, move.count) if move.plain else move for move in found.moves)
    if len(moves) > MOST:
        found.problems.append(f"its members lie in {len(moves)} pieces, and {MOST} can be moved")
    dropped = tuple(path for path in before if path not in {leaf.path for leaf in new})
    return Conversion(moves, tuple(found.problems), dropped)


def _within(path: str, name: str) -> bool:
    """Whether the member is, or is a part of, what ``name`` names; a bare number is called ``value``."""
    return (path or "value") == name or path.startswith((f"{name}.", f"{name}["))


def _moved(old: Leaf, new: Leaf, counts: bool, found: _Found) -> Optional[Move]:
    size, width = old.bits // 8, new.bits // 8
    if new.kind.startswith(OPAQUE) or old.kind.startswith(OPAQUE):
        found.problems.append(f"value: {new} belongs to the kernel and cannot be moved")
    elif old.kind != new.kind:
        found.problems.append(f"value: {new} was {old}: another kind")
    elif new.count < old.count:
        found.problems.append(f"value: {new} was {old}: fewer elements")
    elif width < size:
        found.problems.append(f"value: {new} was {old}: narrower")
    elif width > size and new.kind not in _INTEGERS:
        found.problems.append(f"value: {new} was {old}: only integers can become wider")
    elif counts and not (_can_count(old) and _can_count(new)):
        found.problems.append(f"value: {new} is no counter: those are aligned integers of 4 or 8 bytes")
    else:
        signed = new.kind == "s" and width > size
        if counts or width > size:
            return Move(old.offset // 8, new.offset // 8, old.count, size, width, counts, signed)
        return Move(old.offset // 8, new.offset // 8, old.count * size, 1, 1)
    return None


def _can_count(leaf: Leaf) -> bool:
    size = leaf.bits // 8
    return leaf.kind in _INTEGERS and size in _COUNTER_BYTES and leaf.offset // 8 % size == 0


def _joined(moves: List[Move], previous: Optional[Move], move: Move) -> Move:
    """Neighbours before and after become one move, with the padding between them."""
    if previous is not None and previous.plain and move.plain:
        gap = move.to - previous.to - previous.count
        if 0 <= gap < max(_WORDS) and move.start - previous.start == move.to - previous.to:
            moves[-1] = replace(previous, count=previous.count + gap + move.count)
            return moves[-1]
    moves.append(move)
    return move


def _overlaps(moves: Sequence[Move]) -> List[str]:
    """Members of a union lie upon each other; they can only move as one."""
    ordered = sorted(moves, key=lambda move: move.to)
    for one, other in zip(ordered, ordered[1:]):
        apart = one.to + one.count * one.width <= other.to
        together = one.plain and other.plain and one.to - one.start == other.to - other.start
        if not (apart or together):
            return [f"value: members of a union at byte {other.to} are moved apart"]
    return []


def _block(start: int, to: int, size: int) -> Move:
    word = next(word for word in _WORDS if size % word == 0)
    return Move(start, to, size // word, word, word)


def _bits_together(leaves: Iterable[Leaf]) -> List[Leaf]:
    """Bit fields that share bytes as one member, whose kind says how they lie."""
    plain: List[Leaf] = []
    runs: List[List[Leaf]] = []
    for leaf in leaves:
        if not leaf.kind.endswith(":"):
            plain.append(leaf)
        elif runs and leaf.offset // 8 <= (runs[-1][-1].offset + runs[-1][-1].bits - 1) // 8:
            runs[-1].append(leaf)
        else:
            runs.append([leaf])
    return plain + [_run(run) for run in runs]


def _run(run: Sequence[Leaf]) -> Leaf:
    first = run[0].offset // 8 * 8
    size = -(-(run[-1].offset + run[-1].bits - first) // 8)
    lie = ",".join(f"{leaf.kind}{leaf.bits} at bit {leaf.offset - first}" for leaf in run)
    return Leaf("+".join(leaf.path for leaf in run), first, 8, f"bits ({lie}) of ", size)


def converted(value: bytes, moves: Sequence[Move], width: int) -> bytes:
    """What the kernel's side does to a value, without its counters' being taken."""
    made = bytearray(width)
    for move in moves:
        for i in range(move.count):
            number = value[move.start + i * move.size :][: move.size]
            negative = move.signed and number[-1] >> 7
            at = move.to + i * move.width
            made[at : at + move.width] = number.ljust(move.width, b"\xff" if negative else b"\0")
    return bytes(made)
