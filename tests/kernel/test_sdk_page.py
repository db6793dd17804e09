# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/sdk.md names every macro, and what stands there compiles, loads and does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pipelines import BPF, REPOSITORY, compiled, support
from tests.probes import requires, requires_bpf
from wirespeed.pipeline import fixtures
from wirespeed.pipeline.manifest import load_manifest
from wirespeed.pipeline.source import PipelineSource

pytestmark = [requires_bpf, requires("clang")]

PAGE = (REPOSITORY / "docs/sdk.md").read_text(encoding="utf-8")
CODE = "".join(re.findall(r"```c\n(.*?)```", PAGE, re.DOTALL))
(MANIFEST,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
OWN = ("ws_promote", "ws_move", "ws_each_move", "ws_moves", "WS_MOVES", "ws_notes_here")
"""What no program calls by itself."""


def public() -> "set[str]":
    headers = ("wirespeed.h", "wirespeed_config.h", "wirespeed_state.h", "wirespeed_trace.h")
    text = "".join((BPF / "include" / name).read_text(encoding="utf-8") for name in headers)
    macros = set(re.findall(r"^#define ((?:WS|ws)_\w+)", text, re.MULTILINE))
    called = "".join((BPF / "include" / name).read_text() for name in ("wirespeed.h", "wirespeed_trace.h"))
    functions = set(re.findall(r"^static __always_inline .*?(ws_\w+)\(", called, re.M))
    return (macros | functions) - set(OWN)


@pytest.mark.parametrize("name", sorted(public()))
def test_every_macro_is_named(name: str) -> None:
    assert re.search(rf"`(?:[^`]*\W)?{name}\b", PAGE)


def test_the_page_is_a_program_that_does_what_its_packets_say(tmp_path: Path) -> None:
    path = tmp_path / "edge.pipeline.yml"
    path.write_text(MANIFEST, encoding="utf-8")
    source = PipelineSource(load_manifest(path), compiled(CODE), support())
    assert len(source.manifest.tests) == 3 and fixtures.run(source) == ()


def test_the_page_is_a_program_for_frames_in_several_buffers() -> None:
    assert b"xdp.frags" in compiled("#define WS_FRAGS\n" + CODE)
