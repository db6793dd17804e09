# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a packet, as the comment that Wireshark shows beside it. Pure."""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Sequence, Tuple

from ..pipeline.manifest import Manifest
from ..pipeline.trace_words import TraceWords
from .record import DRY_RUN, OWNED, READY, Note

ACTIONS = ("aborted", "drop", "pass", "tx", "redirect")  # enum xdp_action, include/uapi/linux/bpf.h


class Commentator:
    """Comments for the packets of one pipeline; of a program that leaves no notes the action alone is known."""

    def __init__(self, words: Optional[TraceWords] = None, names: Sequence[str] = ()) -> None:
        """``names`` of the verdicts, in the order of their numbers."""
        self._words = words or TraceWords()
        self._names = [self._words.mitigations.get(name, name) for name in names]
        self._made: Dict[Note, str] = {}

    @classmethod
    def of(cls, manifest: Manifest) -> "Commentator":
        return cls(manifest.trace, [verdict.name for verdict in manifest.verdicts])

    def comment(self, note: Note) -> str:
        """``cus: 601, pol: 1121, mitigation: cm_cs, verdict: [DROP]``."""
        made = self._made.get(note)
        if made is None:
            made = self._made[note] = ", ".join(self._parts(note))
        return made

    def _parts(self, note: Note) -> Sequence[str]:
        parts = []
        action = action_name(note.action)
        if note.flags & READY:
            if note.flags & OWNED:
                parts += [f"{self._words.customer}: {note.customer}", f"{self._words.policy}: {note.policy}"]
            named = self._names[note.verdict] if note.verdict < len(self._names) else str(note.verdict)
            if named != action:
                parts.append(f"mitigation: {named}")
        parts.append(f"verdict: [{action.upper()}]")
        if note.flags & READY and note.flags & DRY_RUN:
            parts.append("dry run")
        return parts


def action_name(action: int) -> str:
    """``drop``; what the kernel would warn of goes by its number."""
    return ACTIONS[action] if action < len(ACTIONS) else str(action)


def masks(chosen: Sequence[str], names: Sequence[str]) -> Tuple[int, int]:
    """Bits of the actions and of the verdicts that these words mean; no bits: all. Raises KeyError with the word."""
    numbers: Mapping[str, int] = {name: number for number, name in enumerate(names)}
    actions = verdicts = 0
    for word in chosen:
        if word in ACTIONS:
            actions |= 1 << ACTIONS.index(word)
        else:
            verdicts |= 1 << numbers[word]
    return actions, verdicts
