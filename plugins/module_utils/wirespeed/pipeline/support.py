# SPDX-License-Identifier: GPL-3.0-or-later
"""The compiled programs of our own that every pipeline needs; they travel in a bundle and are kept in the store."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Dict, Mapping


@dataclass(frozen=True)
class Support:
    """``root`` takes frames of one buffer, ``root_frags`` of several: a program array takes only programs like its
    first (kernel/bpf/core.c, bpf_prog_map_compatible). ``handover`` carries entries between maps of two generations,
    ``walk`` looks at those of one map, ``counts`` asks the kernel for their number (:mod:`..map_health`).

    Empty where a pipeline is only looked at.
    """

    root: bytes = b""
    root_frags: bytes = b""
    handover: bytes = b""
    walk: bytes = b""
    counts: bytes = b""

    def root_for(self, frags: bool) -> bytes:
        return self.root_frags if frags else self.root

    @property
    def parts(self) -> Dict[str, bytes]:
        """By name; each is ``NAME.bpf.o`` among the built objects."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @classmethod
    def of(cls, parts: Mapping[str, bytes]) -> "Support":
        """Of what there is; an earlier version's store has the root alone."""
        return cls(**{name: data for name, data in parts.items() if name in cls().parts})
