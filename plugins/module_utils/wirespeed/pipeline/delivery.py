# SPDX-License-Identifier: GPL-3.0-or-later
"""A document's rows in the maps of a loaded generation: compare, write in place, or fill the idle side and turn."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, Mapping, Optional, Sequence

from ..config import rows, sides
from ..config.compiled import Compiled
from ..config.difference import Difference, total
from ..config.packed import Packed
from ..config.rows import Held
from ..config.sides import Word
from ..config.strategy import Strategy
from ..errors import ReadBackMismatch
from ..kernel.bpf_map import BpfMap
from ..kernel.grace import wait_for_programs
from . import instance
from .pins import Paths
from .source import PipelineSource

Progress = Callable[[int, int, str], None]
"""Called with how much is done, of how much, and of what."""

Differences = Mapping[str, Difference]


def silent(done: int, of: int, what: str) -> None:
    """For who does not want to be told."""


@dataclass(frozen=True)
class Tables:
    """The config tables of one loaded generation."""

    paths: Paths
    source: PipelineSource
    generation: str
    progress: Progress = silent

    @property
    def doubled(self) -> Sequence[str]:
        """Those with two sides."""
        return [name for name in sides.tables(self.source.maps) if name in self.source.tables]

    @property
    def word(self) -> bool:
        """Whether its program reads a word that says which side is live."""
        return sides.CONFIG_WORD in self.source.maps

    def held(self, names: Sequence[str], side: Optional[int] = None) -> Dict[str, Held]:
        """What these tables hold, live or on ``side``."""
        found = {}
        for name in names:
            with self._opened(name, side) as opened:
                with _told(self.progress, opened.info.max_entries, f"reading {name}") as part:
                    found[name] = rows.read(opened, self.source.tables[name], part)
        return found

    def compared(self, held: Mapping[str, Held], wanted: Mapping[str, Packed]) -> Dict[str, Difference]:
        """By table, between what it holds and what is wanted of it."""
        return {name: rows.compared(each, self.source.tables[name], wanted[name]) for name, each in held.items()}

    def differences(self, wanted: Mapping[str, Packed], side: Optional[int] = None) -> Dict[str, Difference]:
        """One table's rows at a time in memory."""
        found: Dict[str, Difference] = {}
        for name in wanted:
            found.update(self.compared(self.held([name], side), wanted))
        return found

    def ordered(self, held: Mapping[str, Held]) -> Dict[str, Packed]:
        """Each in the table's order."""
        return {name: rows.ordered(each, self.source.tables[name]) for name, each in held.items()}

    def bring(self, wanted: Compiled, strategy: Strategy, known: Optional[Differences] = None) -> None:
        """To these rows; what is so already is left. ``known`` are the differences of a look before, under the same
        lock. Raises KernelRefusal, and :class:`ReadBackMismatch` before a swap makes anything live."""
        found = self.differences(wanted.tables) if known is None else known
        if not total(found):
            return
        if strategy is Strategy.MAP_SWAP:
            self._swap(wanted)
        else:
            self._write(found)

    def live_word(self) -> Word:
        return instance.word(self.paths, self.source.manifest.name, self.generation)

    def take_back(self, differences: Differences) -> None:
        """Of a delivery in place, whatever part of it was done."""
        self._write(differences)

    def turn_to(self, word: Word) -> None:
        """The side of ``word``, where another one is live; it has the rows that it had then."""
        pipeline = self.source.manifest.name
        if self.word and self.live_word().side != word.side:
            with instance.open_map(self.paths, pipeline, self.generation, sides.CONFIG_WORD) as word_map:
                sides.write_word(word_map, sides.read_word(word_map).flipped())

    def _swap(self, wanted: Compiled) -> None:
        pipeline = self.source.manifest.name
        with instance.open_map(self.paths, pipeline, self.generation, sides.CONFIG_WORD) as word_map:
            word = sides.read_word(word_map)
            doubled = {name: wanted.tables[name] for name in self.doubled}
            found = self.differences(doubled, word.idle)
            if total(found):
                # A packet that read the word before the last flip may still be looking at this side.
                wait_for_programs()
                self._write(found, word.idle)
            sides.write_word(word_map, word.flipped())

    def _write(self, differences: Differences, side: Optional[int] = None) -> None:
        for name, change in differences.items():
            if not change:
                continue
            table = self.source.tables[name]
            with self._opened(name, side) as opened:
                with _told(self.progress, change.operations, f"writing {name}") as part:
                    rows.write(opened, table, change, part)
                wrong = rows.check(opened, table, change)
            if wrong:
                raise ReadBackMismatch(f"every write succeeded, but reading back finds: {wrong}")

    def _opened(self, name: str, side: Optional[int] = None) -> BpfMap:
        return instance.open_table(self.paths, self.source.manifest.name, self.generation, name, side)


@contextmanager
def _told(progress: Progress, of: int, what: str) -> Iterator[Callable[[int], None]]:
    """Of how much may only be a bound; the last word is that all is done."""
    done = 0

    def part(number: int) -> None:
        nonlocal done
        done += number
        progress(done, max(done, of), what)

    yield part
    progress(done, done, what)
