# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference pipeline as tests use it, and small pipelines compiled from a few lines of C."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict

from wirespeed import bundle
from wirespeed.author_verbs import this_machine
from wirespeed.errors import Place
from wirespeed.gather import BUILT_IN_PROFILES, built_in_support
from wirespeed.pipeline.manifest import Manifest, load_manifest
from wirespeed.pipeline.source import PipelineSource
from wirespeed.pipeline.support import Support
from wirespeed.profiles.document import ProfileSet
from wirespeed.profiles.load import load

REPOSITORY = Path(__file__).resolve().parent.parent
BPF = REPOSITORY / "bpf"
OBJECTS = REPOSITORY / "plugins/module_utils/wirespeed/objects"
PASS, NOT_INSPECTED, DENY_V4, DENY_V6, MALFORMED = range(5)

FLOWS = """
struct flow { %s };
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct flow);
} flows SEC(".maps");
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 key = 7;
	struct flow none = {};
	bpf_map_update_elem(&flows, &key, &none, BPF_NOEXIST);
	return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""
"""A pipeline named ``small`` with a table of flows; to be given the members of a flow."""


@functools.cache
def _built(*target: str) -> None:
    subprocess.run(["make", "-s", "-C", str(BPF), *target], check=True, capture_output=True, text=True)


@functools.cache
def support() -> Support:
    _built()
    return built_in_support()


def here(source: PipelineSource) -> PipelineSource:
    """Its sizes as a run on this machine works them out, for one NIC: the same generation."""
    return source.on(this_machine())


@functools.cache
def scrubber() -> PipelineSource:
    ours = support()
    manifest = load_manifest(OBJECTS / "scrubber.pipeline.yml")
    return here(PipelineSource(manifest, (OBJECTS / "scrubber.bpf.o").read_bytes(), ours))


@functools.cache
def next_scrubber(version: str = "0.1.1") -> PipelineSource:
    """The same pipeline built as another version: other bytes, so another generation."""
    with tempfile.TemporaryDirectory() as folder:
        _built("variant", f"VARIANT={folder}", f"VARIANT_VERSION={version}")
        manifest = load_manifest(Path(folder, "scrubber.pipeline.yml"))
        return here(PipelineSource(manifest, Path(folder, "scrubber.bpf.o").read_bytes(), support()))


@functools.cache
def compiled(code: str) -> bytes:
    """The object of a few lines of C with the SDK header on the include path."""
    multiarch = subprocess.run(["gcc", "-print-multiarch"], check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "small.bpf.c").write_text("#include <wirespeed.h>\n" + code)
        subprocess.run(
            ["clang", "-O2", "-g", "-target", "bpf", "-mcpu=v3", f"-I{BPF}/include", f"-I/usr/include/{multiarch}"]
            + ["-c", f"{folder}/small.bpf.c", "-o", f"{folder}/small.bpf.o"],
            check=True,
            capture_output=True,
            text=True,
        )
        return Path(folder, "small.bpf.o").read_bytes()


def small(code: str, **manifest: Any) -> PipelineSource:
    """A pipeline named ``small`` whose entry is ``small``, with more manifest entries by keyword."""
    said: Dict[str, Any] = {"manifest": 1, "name": "small", "version": "1", "entry": "small", **manifest}
    return PipelineSource(Manifest.from_json(said), compiled(code), support(), Place("small.bpf.o"))


def renamed(source: PipelineSource, name: str) -> PipelineSource:
    return replace(source, manifest=replace(source.manifest, name=name))


@functools.cache
def _profiles() -> ProfileSet:
    return load([BUILT_IN_PROFILES])


def bundle_of(*sources: PipelineSource) -> Dict[str, Any]:
    """What a control node would send with these pipelines."""
    return bundle.dump(_profiles(), support(), sources)
