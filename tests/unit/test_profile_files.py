# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading profile files: every mistake is told with file, line, path, and what is allowed."""

from __future__ import annotations

import pytest

from wirespeed.errors import BadInput
from wirespeed.profiles.load import BUILT_IN, load

from .profile_cases import built_in, write

HEAD = "profile: mine\nmatch: {driver: igb}\n"


def refusal(tmp_path, text):
    with pytest.raises(BadInput) as caught:
        load([BUILT_IN, write(tmp_path / "site", mine=text)])
    return str(caught.value).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "tunning: {}\n", "site/mine.yml:3: tunning: 'tunning' is not known here. Did you mean 'tuning'?"),
        (
            HEAD + "tuning:\n  drop:\n    ringz: {rx: 1}\n",
            "site/mine.yml:5: tuning.drop.ringz: 'ringz' is not known here. Did you mean 'rings'?",
        ),
        (
            HEAD + "tuning:\n  drop:\n    rings:\n      # half\n      rxx: 1\n",
            "site/mine.yml:7: tuning.drop.rings.rxx: 'rxx' is not known here. Did you mean 'rx'? Allowed: cqe-size,",
        ),
        (
            HEAD + "operations:\n  mtu: {bare: bouncy, attached: none}\n",
            "site/mine.yml:4: operations.mtu.bare: 'bouncy' is not known here. Did you mean 'bounce'?",
        ),
        (HEAD + "operations:\n  mtu: {bare: none}\n", "site/mine.yml:4: operations.mtu: lacks 'attached'."),
        (HEAD + "native: maybe\n", "site/mine.yml:3: native: is 'maybe'. Allowed: true, false, an expression"),
        (
            "profile: mine\nmatch: sometimes\n",
            "site/mine.yml:2: match: 'sometimes' is not known here.",
        ),
        (
            "profile: mine\nmatch: {kernel: '6.1'}\n",
            "site/mine.yml:2: match.kernel: is '6.1'. Allowed: conditions",
        ),
        (
            "profile: mine\nmatch: {pci: '8086'}\n",
            "site/mine.yml:2: match.pci: is '8086'. Allowed: PCI ids",
        ),
        ("match: any\n", "site/mine.yml:1: lacks 'profile'."),
        (HEAD + "extends: vmxnet\n", "site/mine.yml:3: extends: 'vmxnet' is not known here. Did you mean 'vmxnet3'?"),
        (HEAD + "extends: mine\n", "site/mine.yml:3: extends: 'mine' extends itself."),
        (HEAD + "tuning:\n  all:\n    rings: null\n", "site/mine.yml:5: tuning.all.rings: is None. Allowed: object."),
        (
            HEAD + "counters:\n  wire_packet:\n    - absent: no\n",
            "site/mine.yml:4: counters.wire_packet: 'wire_packet' is not known here. Did you mean 'wire_packets'?",
        ),
        (
            HEAD + "counters:\n  wire_packets:\n    - raw: [a]\n",
            "site/mine.yml:5: counters.wire_packets.0: lacks 'meaning', 'ref'.",
        ),
    ],
)
def test_a_wrong_word_is_told_with_line_path_and_what_is_allowed(tmp_path, text, said):
    assert refusal(tmp_path, text).startswith(said)


def test_the_first_mistake_of_a_file_is_the_one_told(tmp_path):
    assert refusal(tmp_path, HEAD + "zzz: 1\naaa: 1\n").startswith("site/mine.yml:3: zzz")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("profile: mine\nmatch: {driver: [}\n", "site/mine.yml:2: is not valid YAML"),
        ("\tprofile: mine\n", "site/mine.yml:1: is not valid YAML"),
        ("", "site/mine.yml: is empty."),
        ("- a\n", "site/mine.yml:1: is ['a']. Allowed: object."),
        (HEAD + "match: any\n", "site/mine.yml:3: match: the key 'match' is given twice, first in line 2."),
        (HEAD + "1: x\n", "site/mine.yml:3: the key '1' is no text."),
        (HEAD + "tuning: !!python/object/apply:os.getcwd []\n", "site/mine.yml:3: tuning: has the tag"),
        (HEAD + "native: 2020-01-01\n", "site/mine.yml:3: native: has the tag"),
        (HEAD + "tuning: &t {all: *t}\n", "site/mine.yml:3:"),
    ],
)
def test_yaml_that_is_no_plain_document_is_refused(tmp_path, text, said):
    assert refusal(tmp_path, text).startswith(said)


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory(tmp_path):
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for one, other in zip("bcdefgh", "abcdefg"):
        bomb += f"{one}: &{one} [{', '.join([f'*{other}'] * 9)}]\n"
    assert "more than 20000 values" in refusal(tmp_path, bomb)


def test_a_broken_expression_is_told_when_the_file_is_read(tmp_path):
    said = refusal(tmp_path, HEAD + "tuning:\n  all:\n    rings:\n      rx:\n        value: '{{ 1 + }}'\n")
    assert said.startswith("site/mine.yml:7: tuning.all.rings.rx.value: in the expression '{{ 1 + }}'")


def test_two_profiles_of_one_name_in_a_directory_are_refused(tmp_path):
    site = write(tmp_path / "site", a=HEAD, b=HEAD)
    with pytest.raises(BadInput, match=r"b\.yml:1: profile: 'mine' is already the profile in .*a\.yml"):
        load([site])


def test_a_directory_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BadInput, match="is not a directory of profiles"):
        load([tmp_path / "none"])


def test_the_built_in_profiles_say_why_and_whence_of_every_value():
    for document in built_in().documents:
        for workload in document.data["tuning"].values():
            for setting, entries in workload.items():
                for key, entry in entries.items():
                    assert entry is None or {"value", "why", "source"} <= set(entry), (document.name, setting, key)
        for name, rule in document.data["operations"].items():
            assert rule is None or rule.get("note") or rule.get("source"), (document.name, name)
        for name, condition in document.data.get("constraints", {}).items():
            assert condition.get("source"), (document.name, name)


def test_every_feature_that_a_built_in_profile_names_is_one_of_the_kernels():
    known = {"rx-lro", "rx-gro-hw", "rx-vlan-hw-parse", "rx-vlan-stag-hw-parse", "tx-vlan-hw-insert"}
    named = {
        name
        for document in built_in().documents
        for workload in document.data["tuning"].values()
        for name in workload.get("features", {})
    }
    assert named <= known
