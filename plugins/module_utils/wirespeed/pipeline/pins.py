# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of a pipeline lies: the layout of docs/pinning.md, version 2, in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Optional, Tuple

from ..kernel import bpffs

PROTOCOL = 2
"""The version of docs/pinning.md that this code speaks; the pins carry the one that they follow."""

STAGING = "~new"
"""Ends the name of what is not complete yet. Completed by a rename, which bpffs does atomically."""

FORMER = "~old"
"""Ends the name of what is replaced, but may still be in use."""

LINKS = "links"
"""The one name in the base directory that no pipeline may have."""


@dataclass(frozen=True)
class Paths:
    """``bpffs`` holds pins, ``run`` what must die with a reboot as they do, ``state`` what must not.

    ``cache`` has what can be made anew: the engine's compiled code, which Ansible's modules keep there.

    One set of paths belongs to one network namespace: a link's ifindex has no meaning elsewhere.
    """

    bpffs: Path = Path("/sys/fs/bpf")
    run: Path = Path("/run/wirespeed")
    state: Path = Path("/var/lib/wirespeed")
    cache: Path = Path("/var/cache/wirespeed")

    @classmethod
    def from_environment(cls, given: Optional[Mapping[str, str]] = None) -> "Paths":
        """WIRESPEED_BPFFS, WIRESPEED_RUN, WIRESPEED_STATE and WIRESPEED_CACHE override the defaults."""
        usual, environment = cls(), os.environ if given is None else given
        return cls(
            Path(environment.get("WIRESPEED_BPFFS", usual.bpffs)),
            Path(environment.get("WIRESPEED_RUN", usual.run)),
            Path(environment.get("WIRESPEED_STATE", usual.state)),
            Path(environment.get("WIRESPEED_CACHE") or usual.cache),  # empty: nothing is kept, but may have been
        )

    @property
    def base(self) -> Path:
        return self.bpffs / "wirespeed"

    @property
    def links(self) -> Path:
        return self.base / LINKS

    def link(self, nic: str) -> Path:
        return self.links / bpffs.encode(nic)

    def pipeline(self, name: str) -> Path:
        return self.base / name

    @property
    def protocol(self) -> Path:
        """The map that says which version of the protocol these pins follow."""
        return self.base / "protocol"

    def root(self, pipeline: str) -> Path:
        """What the NICs of a pipeline carry: the root, or with direct attach the entry itself."""
        return self.pipeline(pipeline) / "root"

    def former_root(self, pipeline: str) -> Path:
        """A directory of the pins that a new root has replaced, while NICs may still carry the old one."""
        return self.pipeline(pipeline) / f"root{FORMER}"

    def slots(self, pipeline: str) -> Path:
        return self.pipeline(pipeline) / "slots"

    def empty_slot(self, pipeline: str) -> Path:
        """The root's counter of packets that met an empty slot."""
        return self.pipeline(pipeline) / "empty_slot"

    def generation(self, pipeline: str, generation: str) -> Path:
        return self.pipeline(pipeline) / generation

    def program(self, pipeline: str, generation: str, name: str) -> Path:
        return self.generation(pipeline, generation) / "progs" / bpffs.encode(name)

    def map(self, pipeline: str, generation: str, name: str) -> Path:
        return self.generation(pipeline, generation) / "maps" / bpffs.encode(name)

    def old(self, pipeline: str, generation: str) -> Path:
        """The maps before those of another layout, while their entries are on the way."""
        return self.generation(pipeline, generation) / "old"

    def renewed(self, pipeline: str, generation: str) -> Path:
        """The same generation loaded once more, until its pins have taken their places."""
        return self.generation(pipeline, generation) / "renewed"

    def traced(self, pipeline: str, generation: str) -> Path:
        """The same generation with its notes on, while a trace runs."""
        return self.generation(pipeline, generation) / "traced"

    def record(self, pipeline: str, generation: str) -> Path:
        return self.run / "instances" / pipeline / f"{generation}.json"

    def pipelines(self) -> Tuple[str, ...]:
        """Names of the pipelines that have a complete directory."""
        found = (path.name for path in bpffs.entries(self.base) if path.is_dir())
        return tuple(name for name in found if name != LINKS and not name.endswith(STAGING))

    def generations(self, pipeline: str) -> Tuple[str, ...]:
        """Complete generations, by name."""
        found = (path for path in bpffs.entries(self.pipeline(pipeline)) if path.is_dir())
        return tuple(path.name for path in found if not path.name.endswith((STAGING, FORMER)))
