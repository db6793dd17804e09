# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions: what they give, what they say when they are wrong, and what they cannot do."""

from __future__ import annotations

import pytest

from wirespeed.errors import BadInput, Place
from wirespeed.expression import evaluate
from wirespeed.model.settings import Setting
from wirespeed.namespace import namespace

from .profile_cases import igb, node, vmxnet3

HERE = Place("site/igb.yml", 12)


def value(text, kernel="6.12", nic=None, planned=None, cpus=2, by_numa=None):
    names = namespace(nic or igb(), node(kernel, cpus, by_numa), "drop", planned)
    return evaluate(text, names, HERE, "tuning.drop.rings.rx")


def refusal(text, **names):
    with pytest.raises(BadInput) as caught:
        value(text, **names)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ nic.max.rings.rx }}", 4096),
        ("{{ [node.cpus_on_nic_node, nic.max.channels.combined] | min }}", 2),
        ("{{ nic.features['rx-lro'] }}", False),
        ("{{ nic.max.rings.rx // 3 }}", 1365),
        ("{{ none }}", None),
        ("{{ '4096' }}", "4096"),
        ("{{ [0, 1] }}", [0, 1]),
        ("{{ 'rx-lro' in nic.fixed.features }}", True),
        ("{{ nic.private_flags['no-such-flag'] | default(false) }}", False),
        ("{{ nic.pci.device }}", "10c9"),
        ("{{ workload }}", "drop"),
        ("{{ nic.xdp is none }}", True),
        ("MTU {{ nic.mtu.mtu }} of {{ nic.name }}", "MTU 1500 of eth1"),
        ("equal", "equal"),
        (512, 512),
    ],
)
def test_a_lone_expression_keeps_its_type_and_a_text_around_it_makes_a_text(text, expected):
    assert value(text) == expected and type(value(text)) is type(expected)


@pytest.mark.parametrize(("kernel", "expected"), [("6.1", False), ("6.12", True), ("7.2", True)])
def test_kernels_compare_by_number_not_by_letter(kernel, expected):
    assert value("{{ node.kernel >= '6.6' }}", kernel) is expected


def test_a_patch_level_is_refused_because_a_distribution_kernel_does_not_tell_its_own():
    assert "compares with a text like '6.12', not with '6.1.40'" in refusal("{{ node.kernel < '6.1.40' }}")


def test_cpus_are_those_of_the_nics_memory_node():
    assert value("{{ node.cpus_on_nic_node }}", nic=igb(numa_node=1), cpus=12, by_numa={0: 8, 1: 4}) == 4


def test_a_nic_that_knows_no_memory_node_counts_all_cpus():
    assert value("{{ node.cpus_on_nic_node }}", nic=igb(numa_node=-1), cpus=12, by_numa={0: 8, 1: 4}) == 12


def test_planned_is_the_nic_as_it_will_be():
    assert value("{{ planned.mtu.mtu }}", planned={Setting.MTU: {"mtu": 3000}}) == 3000


def test_an_unknown_name_is_told_with_its_place_and_what_there_is():
    said = refusal("{{ nic.max.channels.combnied + 1 }}")
    assert said.startswith("site/igb.yml:12: tuning.drop.rings.rx: in the expression")
    assert "nic.max.channels has no 'combnied'; did you mean 'combined'; there is: combined, other." in said


def test_an_unknown_first_name_is_told_with_the_names_there_are():
    assert "'planned' is not defined; there is: nic, node, pipeline, workload." in refusal("{{ planned.mtu.mtu }}")


@pytest.mark.parametrize("text", ["{{ nic.nope }}", "{{ [nic.nope] }}", "{{ 1 if false }}", "x {{ nic.nope }}"])
def test_undefined_never_becomes_a_value(text):
    refusal(text)


def test_a_group_of_names_is_no_value():
    assert "nic.rings is a group of names, not a value; it has: rx, tx" in refusal("{{ nic.rings }}")


@pytest.mark.parametrize(
    "text",
    [
        "{{ nic.__class__ }}",
        "{{ nic['__class__'] }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ nic.name.upper }}",
        "{{ nic.name.upper() }}",
        "{{ nic.name.format }}",
        "{{ nic.rings._names }}",
        "{{ nic.rings.items }}",
        "{{ nic.rings | attr('_names') }}",
        "{{ [nic] | min(attribute='__class__') }}",
        "{{ self }}",
        "{{ self._TemplateReference__context }}",
        "{{ range(10) }}",
        "{{ lipsum }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ config }}",
        "{{ [1] | map('string') | list }}",
        "{% for x in [1] %}{{ x }}{% endfor %}",
        "{% set x = 1 %}{{ x }}",
        "{% import 'os' as os %}",
        "{{ {'a': 1} }}",
    ],
)
def test_there_is_no_way_out_of_the_data(text):
    refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ 9 ** 9 ** 9 }}",
        "{{ 'a' * 1000000000 }}",
        "{{ [0] * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 4611686018427387904 * 2 }}",
        "{{ 'ab' | replace('a', 'b') }}",
        "{{ 'a' | center(1000000000) }}",
        "{{ 5 | round(-1000000000) }}",
        "{{ " + "(" * 30 + "1" + ")" * 30 + " }}",
        "{{ 1" + " + 1" * 400 + " }}",
        "{{ 1 // 0 }}",
        "{{ 1e308 * 10 }}",
        "{{ '" + "x" * 1200 + "' }}",
    ],
)
def test_work_and_results_are_bounded(text):
    refusal(text)


def test_an_expression_cannot_change_what_it_looks_at():
    nic = vmxnet3()
    refusal("{{ nic.max.rings.update({'rx': 1}) }}", nic=nic)
    assert nic.settings[Setting.RINGS].maxima["rx"] == 4096
