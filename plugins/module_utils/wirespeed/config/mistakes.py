# SPDX-License-Identifier: GPL-3.0-or-later
"""Several mistakes told at once, so that a document is not corrected one row a run."""

from __future__ import annotations

from typing import List, Sequence

from ..errors import BadInput

MOST = 20


class Mistakes(BadInput):
    """The first one's place and field, and the words of all."""

    def __init__(self, found: Sequence[BadInput], more: bool) -> None:
        first = found[0]
        super().__init__(first.place, first.field, first.detail, first.remedy)
        self.all = tuple(found)
        self.more = more

    def __str__(self) -> str:
        rest = [f"There are more; the first {MOST} are told."] if self.more else []
        return "\n".join([*(str(mistake) for mistake in self.all), *rest])


class Found:
    """Gathers up to :data:`MOST`; one more raises :class:`Mistakes` at once."""

    def __init__(self) -> None:
        self._found: List[BadInput] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, mistake: BadInput) -> None:
        if len(self._found) == MOST:
            raise Mistakes(self._found, more=True)
        self._found.append(mistake)

    def settle(self) -> None:
        """Raises what was found: one as it is, several as :class:`Mistakes`."""
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            raise Mistakes(self._found, more=False)
