# SPDX-License-Identifier: GPL-3.0-or-later
"""``pipeline lint``: what is wrong with a manifest and its object, and what its author should think about."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pipelines import OBJECTS, compiled, scrubber, support
from tests.probes import requires
from wirespeed import cli
from wirespeed.pipeline.lint import lint

from .manifest_cases import HERE

pytestmark = requires("clang")

CODE = """
WS_VERDICTS(2);
WS_RODATA(__u16, port) = 443;
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u64);
} flows SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 9);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, 8);
	__uint(value_size, 1);
} deny SEC(".maps");
SEC("xdp") int edge(struct xdp_md *ctx)
{
	__u32 key = port;

	if (bpf_map_lookup_elem(&flows, &key) || bpf_map_lookup_elem(&deny, &key))
		return ws_verdict(ctx, 1, XDP_DROP);
	return ws_verdict(ctx, 0, XDP_PASS);
}
"""
LICENSE = 'char _license[] SEC("license") = "GPL";\n'
GOOD = """\
manifest: 1
name: edge
version: "1"
entry: edge
maps:
  flows: {role: state, max_entries: "{{ node.cpus * 65536 }}"}
  deny: {role: config, table: prefix_set}
  verdicts: {role: stats}
verdicts:
  - {name: pass, action: pass}
  - {name: denied, action: drop}
constants: {port: 80}
tests:
  - {name: passes, packet: {ipv4: {}, udp: {}}, expect: pass}
  - name: denied
    packet: {ipv4: {source: 192.0.2.9}}
    tables: {deny: [192.0.2.0/24]}
    expect: denied
"""
Lint = Callable[..., List[str]]


@pytest.fixture
def told(tmp_path: Path) -> Lint:
    def run(text: str = GOOD, code: str = CODE + LICENSE) -> List[str]:
        (tmp_path / "edge.bpf.o").write_bytes(compiled(code))
        path = tmp_path / "edge.pipeline.yml"
        path.write_text(text)
        return [str(each).replace(f"{tmp_path}/", "") for each in lint(path, HERE)]

    return run


def test_a_good_manifest_is_told_nothing(told: Lint) -> None:
    assert told() == []


@pytest.mark.parametrize("name", ["scrubber", "pass"])
def test_what_ships_is_told_nothing(name: str) -> None:
    support()  # builds them all
    assert lint(OBJECTS / f"{name}.pipeline.yml", HERE) == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "entry: edge",
            "entry: egde",
            ":4: error: entry: no such program in the object: 'egde' is not known here. Did",
        ),
        ("  deny:", "  dney:", ":17: error: tests[1].tables.deny: 'deny' is not known here. Did you mean 'dney'?"),
        ("role: state,", "role: state, maxx: 1,", ":6: error: maps.flows.maxx: 'maxx' is not known here."),
        ("node.cpus *", "node.cpuz *", ":6: error: maps.flows.max_entries: in the expression"),
        ("node.cpus *", "0 *", ":6: error: maps.flows.max_entries: '{{ 0 * 65536 }}' gives 0 on this node."),
        ("port: 80", "prot: 80", ":12: error: constants: no such .rodata variable in the object: 'prot'"),
        ("port: 80", "port: 65536", ":12: error: constants.port: is 65536. The variable holds 0 to 65535."),
        ("source: 192.0.2.9", "source: 192.0.2.999", ":16: error: tests[1].packet.ipv4.source: is '192.0.2.999'."),
        ("ipv4: {}, udp", "ipv5: {}, udp", ":14: error: tests[0].packet.ipv5: 'ipv5' is not known here. Did you mean"),
        (
            "192.0.2.0/24",
            "192.0.2.1/24",
            ":17: error: tests[1].tables.deny: table deny, row 1: '192.0.2.1/24' has host",
        ),
        ("udp: {}}", "udp: {}, length: 4000}", ":14: error: tests[0].packet: is a frame of 4000 bytes, which needs"),
        ("  - {name: denied, action: drop}\n", "", ":17: error: tests[1].expect: 'denied' is not known here."),
        (
            ", expect: pass}\n  - name",
            "}\n  - name",
            ":14: error: tests[0]: has no 'expect' or 'action'. One of them is",
        ),
        (
            "packet: {ipv4: {source: 192.0.2.9}}",
            "packet: 17",
            ":16: error: tests[1].packet: is 17, not a text or a mapping.",
        ),
        (
            "expect: denied\n",
            "expect: denied\n    output: '0'\n",
            ":19: error: tests[1].output: is '0'. Give pairs of hex",
        ),
    ],
)
def test_an_error_has_its_line(told: Lint, old: str, new: str, said: str) -> None:
    assert old in GOOD
    found = told(GOOD.replace(old, new, 1))
    assert any(each.startswith("edge.pipeline.yml" + said) for each in found), found


def test_all_that_the_schema_refuses_is_told_at_once(told: Lint) -> None:
    found = told(
        GOOD.replace("name: edge", "name: Edge", 1)
        .replace("role: config", "role: confog")
        .replace("expect: pass", "expct: pass")
    )
    assert [each.partition(": ")[0] for each in found] == [f"edge.pipeline.yml:{line}" for line in (2, 7, 14, 14)]


FLOWS = '  flows: {role: state, max_entries: "{{ node.cpus * 65536 }}"}\n'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (FLOWS, "", ":5: advice: maps: the manifest does not name map flows (LRU_HASH), so each reload begins with it"),
        ("expect: denied", "expect: pass", ":13: advice: tests: no test packet expects these verdicts: denied."),
        (GOOD[GOOD.index("tests:") :], "", ":1: advice: tests: there are no test packets"),
        ("constants: {port: 80}\n", "", ":1: advice: constants: these keep the object's own values: port (443)."),
        ("* 65536", "* 100", ":6: advice: maps.flows: holds 800 entries, and each of 8 CPUs takes up to 128 free ones"),
    ],
)
def test_advice_has_its_line(told: Lint, old: str, new: str, said: str) -> None:
    assert old in GOOD
    found = told(GOOD.replace(old, new, 1))
    assert any(each.startswith("edge.pipeline.yml" + said) for each in found), found


def test_a_map_without_a_role_is_told_with_a_guess(told: Lint) -> None:
    assert any("Perhaps flows: {role: state}: an LRU hash is what" in each for each in told(GOOD.replace(FLOWS, "")))


MAPS_ALONE = GOOD[: GOOD.index("tests:")]


def test_a_config_map_without_a_table_is_told(told: Lint) -> None:
    found = told(MAPS_ALONE.replace(", table: prefix_set", ""))
    assert any(":7: advice: maps.deny: is of role config without a table" in each for each in found), found


def test_a_state_map_of_an_unknown_layout_is_told(told: Lint) -> None:
    found = told(MAPS_ALONE.replace("role: config, table: prefix_set", "role: state"))
    assert any(":7: advice: maps.deny: the object does not tell the type of its value" in each for each in found), found


WHOLE = CODE + LICENSE


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (CODE, "advice: object: the object names no license"),
        (WHOLE + 'SEC("tc") int shape(void *ctx) { return 0; }', "more programs, which are not loaded: shape (tc)."),
        (
            WHOLE + 'SEC("xdp.frags") int wide(struct xdp_md *ctx) { return 1; }',
            "programs in xdp and in xdp.frags; one",
        ),
        (
            WHOLE.replace("65536);", "65536); __uint(map_flags, 2);"),
            "maps.flows: has one LRU list per CPU (BPF_F_NO_COMMON_LRU): inserts never wait for each other, but each",
        ),
    ],
)
def test_what_is_about_the_object_is_told(told: Lint, code: str, said: str) -> None:
    found = told(GOOD, code)
    assert any(said in each for each in found), found


def test_verdicts_that_nobody_names_are_told(told: Lint) -> None:
    text = GOOD[: GOOD.index("verdicts:\n")] + "constants: {port: 80}\n"
    assert any("the object counts 2 verdicts that the manifest does not name" in each for each in told(text))


def test_a_tail_called_program_that_is_not_loaded_is_an_error(told: Lint) -> None:
    code = """
int last(struct xdp_md *ctx);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, int(void *));
} stages SEC(".maps") = { .values = { [0] = (void *)&last } };
SEC("xdp") int last(struct xdp_md *ctx) { return XDP_DROP; }
"""
    found = told(GOOD, code + CODE + LICENSE)
    said = "error: stages: a program array of the object holds program 'last', which is not loaded."
    assert any(said in each for each in found), found


def test_an_object_that_is_not_there_is_told(told: Lint) -> None:
    found = told(GOOD.replace("entry: edge", "entry: edge\nobject: none.o"))
    assert len(found) == 1
    assert found[0].startswith("edge.pipeline.yml:5: error: object: none.o cannot be read: No such file or directory.")


TOP = ("manifest", "name", "version", "entry", "maps", "verdicts", "tests", "constants", "health")
BELOW = ("packet", "expect", "action", "role", "tables", "max_entries", "output", "window", "edge", "flows")
KEYS = st.sampled_from([*TOP, *BELOW])
WORDS = st.sampled_from([1, "edge", "1", "state", "pass", "{{ node.cpus }}", "{{ 1 // 0 }}"])
VALUES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(KEYS, VALUES, max_size=4))
def test_no_manifest_gives_a_traceback(tmp_path: Path, changes: Dict[str, Any]) -> None:
    """Any top-level part replaced by anything."""
    path = tmp_path / "edge.pipeline.yml"
    (tmp_path / "edge.bpf.o").write_bytes(compiled(CODE + LICENSE))
    path.write_text(yaml.safe_dump({**yaml.safe_load(GOOD), **changes}))
    for each in lint(path, HERE):
        assert each.text and each.place.source


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 8000), junk=st.binary(min_size=1, max_size=64))
def test_no_damaged_object_gives_a_traceback(tmp_path: Path, at: int, junk: bytes) -> None:
    whole = scrubber().object_bytes
    at %= len(whole)
    (tmp_path / "scrubber.bpf.o").write_bytes(whole[:at] + junk + whole[at + len(junk) :])
    (tmp_path / "scrubber.pipeline.yml").write_text((OBJECTS / "scrubber.pipeline.yml").read_text())
    lint(tmp_path / "scrubber.pipeline.yml", HERE)


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[[str], str]:
    (tmp_path / "edge.bpf.o").write_bytes(compiled(CODE + LICENSE))

    def write(text: str) -> str:
        (tmp_path / "edge.pipeline.yml").write_text(text)
        return str(tmp_path / "edge.pipeline.yml")

    return write


def test_exit_codes_tell_errors_from_advice(manifest: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    advised, wrong = GOOD.replace("constants: {port: 80}\n", ""), GOOD.replace("entry: edge", "entry: egde")
    codes = [cli.main(["pipeline", "lint", manifest(text)]) for text in (GOOD, advised, wrong)]
    strict = [cli.main(["pipeline", "lint", "--strict", manifest(text)]) for text in (GOOD, advised, wrong)]
    assert (codes, strict) == ([0, 0, 1], [0, 2, 1])
    assert capsys.readouterr().out.startswith("Nothing is wrong.\n")


def test_findings_are_data_too(manifest: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    path = manifest(GOOD.replace("entry: edge", "entry: egde"))
    cli.main(["pipeline", "lint", path, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert [(each["file"], each["line"], each["severity"], each["field"]) for each in told] == [
        (path, 4, "error", "entry")
    ]


@pytest.mark.parametrize("words", [("lint", "--load"), ("test",)])
def test_the_kernel_is_asked_by_root_only(
    words: Any, manifest: Callable[[str], str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert cli.main(["pipeline", *words, manifest(GOOD)]) == 1
    assert "needs root" in capsys.readouterr().err


def test_an_unknown_pipeline_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["pipeline", "lint", "scrubbr"]) == 1
    told = capsys.readouterr().err
    assert (
        "command line: MANIFEST: there is no pipeline 'scrubbr'" in told
        and "Built-in pipelines: pass, scrubber" in told
    )
