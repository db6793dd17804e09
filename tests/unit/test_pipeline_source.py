# SPDX-License-Identifier: GPL-3.0-or-later
"""An object and its manifest are checked against each other before any kernel sees them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pipelines import next_scrubber, scrubber, small
from tests.probes import requires
from wirespeed.config.tables import canonical
from wirespeed.errors import BadInput, Place
from wirespeed.kernel import elf
from wirespeed.pipeline.manifest import MapSpec, Role
from wirespeed.pipeline.source import PipelineSource

pytestmark = requires("clang")

CODE = """
WS_RODATA(__u16, port) = 1;
WS_RODATA(__s32, bias) = 0;
WS_RODATA(char, label[8]) = "";
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
} ports SEC(".maps");
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 key = port;
	return bpf_map_lookup_elem(&ports, &key) ? bias : label[0];
}
SEC("xdp.frags") int wide(struct xdp_md *ctx) { return XDP_PASS; }
SEC("xdp/devmap") int behind(struct xdp_md *ctx) { return XDP_PASS; }
SEC("tc") int shaper(void *ctx) { return 0; }
char _license[] SEC("license") = "GPL";
"""


def refused(**manifest: object) -> str:
    return refused_code(CODE, **manifest)


def refused_code(code: str, **manifest: object) -> str:
    with pytest.raises(BadInput) as error:
        small(code, **manifest)
    return str(error.value)


def test_one_code_is_one_generation() -> None:
    again = PipelineSource(scrubber().manifest, scrubber().object_bytes)
    assert (again.generation, again.digest) == (scrubber().generation, scrubber().digest)


@pytest.mark.parametrize(
    "other",
    [
        lambda: next_scrubber(),
        lambda: small(CODE),
        lambda: replace(scrubber(), manifest=replace(scrubber().manifest, empty_slot="drop")),
    ],
)
def test_other_code_or_settings_are_another_generation(other: object) -> None:
    assert other().generation != scrubber().generation  # type: ignore[operator]


def test_constants_make_another_generation_and_are_patched_in() -> None:
    plain = small(CODE)
    tuned = plain.with_constants({"port": 443, "bias": -2, "label": "east"})
    assert tuned.generation != plain.generation
    at = {name: plain.elf.variable(".rodata", name).offset for name in ("port", "bias", "label")}
    assert tuned.rodata[at["port"]] == b"\xbb\x01"
    assert tuned.rodata[at["bias"]] == b"\xfe\xff\xff\xff"
    assert tuned.rodata[at["label"]] == b"east\0\0\0\0"


@pytest.mark.parametrize(
    ("constants", "said"),
    [
        ({"prot": 1}, "no such .rodata variable in the object: 'prot' is not known here. Did you mean 'port'?"),
        ({"port": 65536}, "constants.port: is 65536. The variable holds 0 to 65535."),
        ({"bias": 2**31}, "The variable holds -2147483648 to 2147483647."),
        ({"port": "http"}, "constants.port: is 'http'; the variable is a number."),
        ({"label": "too long"}, "constants.label: has 8 bytes. The variable holds 7 and a final zero."),
        ({"label": 3}, "constants.label: is 3; the variable is an array of 8."),
    ],
)
def test_a_constant_that_does_not_fit_is_refused(constants: object, said: str) -> None:
    assert said in refused(constants=constants)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"entry": "smal"}, "entry: no such program in the object: 'smal' is not known here. Did you mean 'small'?"),
        ({"stages": ["parser"]}, "stages: no such program in the object: 'parser'"),
        ({"stages": ["wide"]}, "stages: program 'wide' is in section 'xdp.frags', but the entry 'small' in 'xdp', and"),
        ({"entry": "behind"}, "program 'behind' is in section 'xdp/devmap'. Put it in"),
        ({"entry": "shaper"}, "program 'shaper' is in section 'tc'. Put it in SEC(\"xdp\"), or"),
        ({"maps": {"prots": {"role": "state"}}}, "maps: no such map in the object: 'prots' is not known here. Did you"),
        ({"maps": {"ports": {"role": "config", "table": "prefix_set"}}}, "maps.ports.table: is prefix_set, but"),
        ({"verdicts": [{"name": "pass", "action": "pass"}]}, "names 1 verdicts, but the object has no map 'verdicts'"),
    ],
)
def test_what_the_object_lacks_is_named(manifest: "dict[str, object]", said: str) -> None:
    assert said in refused(**manifest)


@pytest.mark.parametrize("section", ["xdp", "xdp_prog", "xdp/filter", "xdp.frags"])
def test_older_names_of_sections_are_xdp_too(section: str) -> None:
    assert small(CODE.replace('SEC("xdp") int small', f'SEC("{section}") int small')).manifest.entry == "small"


def test_verdict_counters_of_another_make_are_refused() -> None:
    said = refused_code(
        "struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); }"
        'verdicts SEC(".maps");' + CODE,
        verdicts=[{"name": "pass", "action": "pass"}],
    )
    assert "the object's map 'verdicts' (type 2, values of 8 bytes) is no array of packets and bytes per CPU" in said


def test_a_wrong_number_of_verdicts_is_refused() -> None:
    fewer = replace(scrubber().manifest, verdicts=scrubber().manifest.verdicts[:-1])
    with pytest.raises(BadInput, match="names 17 verdicts, but the object has 18 verdict counters"):
        PipelineSource(fewer, scrubber().object_bytes)


def test_no_elf_is_said() -> None:
    with pytest.raises(BadInput, match=r"scrubber.bpf.o: this is not an ELF file"):
        PipelineSource(scrubber().manifest, b"int main(void)", b"", Place("scrubber.bpf.o"))


def test_an_elf_for_another_machine_is_said() -> None:
    with open("/proc/self/exe", "rb") as own:
        with pytest.raises(BadInput, match="not for little-endian BPF"):
            PipelineSource(scrubber().manifest, own.read())


@pytest.mark.parametrize("part", [5, 64, 300, 1000, -1])
def test_a_cut_off_object_is_said(part: int) -> None:
    with pytest.raises(BadInput, match="damaged or cut off"):
        PipelineSource(scrubber().manifest, scrubber().object_bytes[:part])


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 8000), junk=st.binary(min_size=1, max_size=64))
def test_damage_anywhere_is_a_clear_error_or_harmless(at: int, junk: bytes) -> None:
    whole = scrubber().object_bytes
    at %= len(whole)
    try:
        PipelineSource(scrubber().manifest, whole[:at] + junk + whole[at + len(junk) :])
    except BadInput:
        pass


def test_an_object_without_btf_is_said() -> None:
    whole = scrubber().object_bytes
    assert b".BTF\0" in whole
    with pytest.raises(BadInput, match="has no type information"):
        PipelineSource(scrubber().manifest, whole.replace(b".BTF\0", b".XTF\0"))


def test_a_size_in_the_manifest_wins_over_the_objects() -> None:
    maps = {**scrubber().manifest.maps, "deny_v4": MapSpec(Role.CONFIG, "prefix_set", max_entries=5)}
    source = replace(scrubber(), manifest=replace(scrubber().manifest, maps=maps))
    assert source.tables["deny_v4"].max_entries == 5


def test_a_table_that_is_not_named_is_empty() -> None:
    rows = canonical(scrubber().tables, {"deny_v4": ["192.0.2.1"]}, Place("intent"))
    assert rows.pop("deny_v4") == ("192.0.2.1/32",)
    assert set(rows) == set(scrubber().tables) - {"deny_v4"} and not any(rows.values())


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(BadInput, match=r"'denyv4' is not known here\. Did you mean 'deny_v4'\?"):
        canonical(scrubber().tables, {"denyv4": []}, Place("intent"))


def test_objects_are_the_same_wherever_they_are_built() -> None:
    """Paths of the build must not be in the object: its digest is the generation."""
    names = [section.name for section in elf.parse(scrubber().object_bytes, Place("o")).sections]
    assert not [name for name in names if name.startswith(".debug")]
    assert b"/bpf/scrubber" not in scrubber().object_bytes.replace(b"bpf/scrubber/", b"")
