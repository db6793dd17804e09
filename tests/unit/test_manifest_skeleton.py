# SPDX-License-Identifier: GPL-3.0-or-later
"""``pipeline init``: what a foreign object says of itself, as a manifest that is right as it is."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pipelines import compiled, scrubber
from tests.probes import requires
from wirespeed import cli
from wirespeed.errors import BadInput, Place
from wirespeed.pipeline.lint import Severity, lint
from wirespeed.pipeline.manifest import Manifest, Role, load_manifest
from wirespeed.pipeline.skeleton import pipeline_name, skeleton

from .manifest_cases import HERE

pytestmark = requires("clang")

MANY = """
WS_PIPELINE("edge", "2.1");
WS_VERDICTS(2);
WS_RODATA(__u16, port) = 443;
WS_RODATA(char, label[8]) = "east";
int tail(struct xdp_md *ctx);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, int(void *));
} stages SEC(".maps") = { .values = { [0] = (void *)&tail } };
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u64);
} flows SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 512);
} heap SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 9);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, 8);
	__uint(value_size, 1);
} allowed SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_DEVMAP); __uint(max_entries, 4); __type(key, __u32); __type(value, __u32); }
	ports SEC(".maps");
SEC("xdp") int tail(struct xdp_md *ctx) { return port + label[0]; }
SEC("xdp") int edge(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &stages, 0);
	return ws_verdict(ctx, 0, XDP_PASS);
}
SEC("xdp") int spare(struct xdp_md *ctx) { return XDP_PASS; }
char _license[] SEC("license") = "GPL";
"""


def made(data: bytes, file: str, folder: Path) -> Manifest:
    (folder / file).write_bytes(data)
    path = folder / "made.pipeline.yml"
    path.write_text(skeleton(data, file, Place(file)))
    wrong = [str(each) for each in lint(path, HERE) if each.severity is Severity.ERROR]
    assert wrong == []
    return load_manifest(path)


def test_programs_maps_and_names_are_the_objects_own(tmp_path: Path) -> None:
    manifest = made(compiled(MANY), "edge.bpf.o", tmp_path)
    assert (manifest.name, manifest.version, manifest.object) == ("edge", "2.1", "edge.bpf.o")
    assert (manifest.entry, manifest.stages) == ("edge", ("tail",))
    assert {name: spec.role for name, spec in manifest.maps.items()} == {
        "stages": Role.SCRATCH,
        "flows": Role.STATE,
        "heap": Role.SCRATCH,
        "allowed": Role.CONFIG,
        "events": Role.SCRATCH,
        "ports": Role.STATE,
        "verdicts": Role.STATS,
    }
    assert manifest.maps["allowed"].table == "prefix_set"
    assert len(manifest.verdicts) == 2


def test_the_entry_is_none_of_those_that_are_tail_called(tmp_path: Path) -> None:
    code = MANY.replace("tail", "another")  # the first in the object's own order
    manifest = made(compiled(code), "other.bpf.o", tmp_path)
    assert (manifest.entry, manifest.stages) == ("edge", ("another",))


@pytest.mark.parametrize(
    "said",
    [
        "# The object has more XDP programs that no program array of it names: spare (section xdp).",
        "  # LRU_HASH of 65536 entries; key u32, value u64.\n  # A guess: an LRU hash is what a program learns by",
        "  # PERCPU_ARRAY of 1 entries; key of 4 bytes, value of 512 bytes.",
        '#   port: 443  # u16\n#   label: "east"  # s8[8]\n',
        "# The object counts 2 verdicts. It does not say what they are",
        "  - {name: verdict_1, action: pass}\n",
        "#     packet: {ipv4: {source: 192.0.2.1}, udp: {destination: 53}}",
    ],
)
def test_what_a_person_must_know_stands_beside_it(said: str) -> None:
    assert said in skeleton(compiled(MANY), "edge.bpf.o", Place("edge.bpf.o"))


def test_the_commented_parts_are_right_too(tmp_path: Path) -> None:
    text = skeleton(compiled(MANY), "edge.bpf.o", Place("edge.bpf.o"))
    for mark in (
        "# constants:",
        "#   port:",
        "#   label:",
        "# tests:",
        "#   - name:",
        "#     packet:",
        "#     action:",
    ):
        text = text.replace(mark, mark.removeprefix("# ").replace("#   ", "  "))
    (tmp_path / "edge.bpf.o").write_bytes(compiled(MANY))
    (tmp_path / "edge.pipeline.yml").write_text(text)
    assert not [each for each in lint(tmp_path / "edge.pipeline.yml", HERE) if each.severity is Severity.ERROR]
    manifest = load_manifest(tmp_path / "edge.pipeline.yml")
    assert (manifest.constants, len(manifest.tests)) == ({"port": 443, "label": "east"}, 1)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("edge.bpf.o", "edge"),
        ("XDP-Filter 2.o", "xdp-filter_2"),
        ("9to5.o", "to5"),
        ("links.o", "links_xdp"),
        ("9.o", "xdp"),
    ],
)
def test_a_file_name_becomes_a_name_that_the_schema_allows(file: str, name: str, tmp_path: Path) -> None:
    assert pipeline_name(file) == name
    made(compiled('SEC("xdp") int f(struct xdp_md *ctx) { return 1; }'), file, tmp_path)


def test_an_object_without_xdp_programs_is_told_with_those_that_it_has() -> None:
    with pytest.raises(BadInput, match=r"has no XDP program; its programs: shape \(tc\)"):
        skeleton(compiled('SEC("tc") int shape(void *ctx) { return 0; }'), "tc.o", Place("tc.o"))


def test_programs_of_both_kinds_are_not_mixed(tmp_path: Path) -> None:
    code = (
        'SEC("xdp.frags") int a(struct xdp_md *ctx) { return 1; } SEC("xdp") int two(struct xdp_md *ctx) { return 1; }'
    )
    manifest = made(compiled(code), "two.bpf.o", tmp_path)
    assert manifest.programs == ("two",)


FOREIGN = sorted(glob.glob("/usr/lib/*/bpf/xdpfilt_*.o") + glob.glob("/usr/lib/*/bpf/xsk_def_xdp_prog*.o"))


@requires("xdp-tools")
@pytest.mark.parametrize("path", FOREIGN, ids=lambda path: Path(path).stem)
def test_objects_of_others_get_a_manifest_that_is_right_as_it_is(path: str, tmp_path: Path) -> None:
    made(Path(path).read_bytes(), Path(path).name, tmp_path)


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 8000), junk=st.binary(min_size=1, max_size=64))
def test_a_damaged_object_gives_a_manifest_or_a_clear_error(at: int, junk: bytes) -> None:
    whole = scrubber().object_bytes
    at %= len(whole)
    try:
        skeleton(whole[:at] + junk + whole[at + len(junk) :], "scrubber.bpf.o", Place("scrubber.bpf.o"))
    except BadInput:
        pass


def run(*words: str) -> int:
    return cli.main(["pipeline", *words])


@pytest.fixture
def object_file(tmp_path: Path) -> Path:
    path = tmp_path / "edge.bpf.o"
    path.write_bytes(compiled(MANY))
    return path


def test_init_prints_or_writes_the_same(object_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", str(object_file)) == 0
    printed = capsys.readouterr().out
    output = object_file.with_name("edge.pipeline.yml")
    assert run("init", str(object_file), "-o", str(output)) == 0
    assert output.read_text() == printed


def test_init_never_overwrites(object_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = object_file.with_name("edge.pipeline.yml")
    output.write_text("mine")
    assert run("init", str(object_file), "-o", str(output)) == 1
    assert output.read_text() == "mine"
    assert "--output: " in capsys.readouterr().err


def test_init_says_where_the_object_must_lie(object_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (object_file.parent / "other").mkdir()
    assert run("init", str(object_file), "-o", str(object_file.parent / "other" / "edge.pipeline.yml")) == 0
    assert "The object must lie beside it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "said"), [(None, "cannot be read: No such file"), (b"hello", "this is not an ELF file")]
)
def test_init_tells_what_is_no_object(
    data: "bytes | None", said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.o"
    if data is not None:
        path.write_bytes(data)
    assert run("init", str(path)) == 1
    told: List[str] = capsys.readouterr().err.splitlines()
    assert len(told) == 1 and said in told[0]
