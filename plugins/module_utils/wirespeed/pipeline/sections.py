# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sections of an object hold XDP programs, and of which kind. Pure.

libbpf 1.x knows "xdp" and "xdp.frags" alone; before, any name that began with "xdp" was XDP, so older objects have
"xdp_prog" or "xdp/filter". The loader sets the type itself. Programs for a devmap or a cpumap run behind a redirect,
with another attach type: none of them can be an entry or a stage.
"""

from __future__ import annotations

_XDP, _FRAGS = "xdp", "xdp.frags"
_BEHIND_A_REDIRECT = ("devmap", "cpumap")


def is_xdp(section: str) -> bool:
    return section.startswith(_XDP) and not any(word in section for word in _BEHIND_A_REDIRECT)


def takes_fragments(section: str) -> bool:
    """Whether its programs take frames of several buffers (BPF_F_XDP_HAS_FRAGS)."""
    return section.startswith(_FRAGS)
