# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of Debian's xdp-tools under a manifest of ``tests/foreign``, driven by the whole engine."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any, Dict, Mapping, Sequence, Set

from wirespeed import engine
from wirespeed.gather import gather
from wirespeed.pipeline import instance
from wirespeed.pipeline.pins import Paths

from .frames import frame_v4, send
from .netns import Veth

MANIFESTS = Path(__file__).resolve().parent.parent / "foreign"
ALLOWED = "203.0.113.99"
_LAST = b"the last of them"
ETH_P_ALL = 3


def packaged(name: str) -> Path:
    """A compiled object of Debian's package, under the library folder of this machine's kind."""
    return next(Path("/usr/lib").glob(f"*/bpf/{name}"))


def beside(folder: Path, manifest: str, **changed: str) -> Path:
    """A manifest with the object that it names; ``changed`` are words of it to be others."""
    folder.mkdir(exist_ok=True)
    text = (MANIFESTS / f"{manifest}.pipeline.yml").read_text()
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    made = folder / f"{manifest}.pipeline.yml"
    made.write_text(text)
    name = next(line.split()[1] for line in text.splitlines() if line.startswith("object:"))
    shutil.copy(packaged(name), folder)
    return made


def converge(
    veth: Veth, manifest: Path, pipeline: str = "xdp-filter", check: bool = False, **tables: Sequence[str]
) -> Dict[str, Any]:
    wanted = {
        "nics": [{"name": veth.ifname, "pipeline": pipeline}],
        "pipelines": [{"name": pipeline, "manifest": str(manifest), "tables": tables}],
    }
    bundle = gather(wanted["pipelines"], [], Path.cwd())
    return dict(veth.node.run(engine.converge, wanted, bundle, check))


def arriving(veth: Veth, frames: Mapping[str, bytes]) -> Set[str]:
    """Which of the frames get past the program to the stack, where a raw socket is.

    A pair with one queue keeps their order, so all have been judged when the last one comes.
    """

    def listen() -> Set[str]:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as raw:
            raw.bind((veth.ifname, ETH_P_ALL))
            raw.settimeout(30)
            veth.wire.run(send, veth.wire_ifname, [*frames.values(), frame_v4(ALLOWED, payload=_LAST)])
            came = set()
            while _LAST not in (frame := raw.recv(2048)):
                came |= {name for name, sent in frames.items() if sent == frame}
            return came

    return set(veth.node.run(listen))


def stats(action: int) -> Dict[str, int]:
    """What xdp-filter has counted for an XDP action, and the id of the map that it counts in."""
    paths = Paths.from_environment()
    generation = instance.published(paths, "xdp-filter")
    assert generation is not None
    with instance.open_map(paths, "xdp-filter", generation, "xdp_stats_map") as found:
        values = found.lookup_percpu(action.to_bytes(4, "little"))
        return {"map": found.info.id, "packets": sum(int.from_bytes(value[:8], "little") for value in values)}
