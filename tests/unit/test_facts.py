# SPDX-License-Identifier: GPL-3.0-or-later
"""Captured facts are read back exactly, and whatever is malformed is told with field, value and what is allowed."""

from __future__ import annotations

import dataclasses
import json
from collections import abc
from enum import Enum
from pathlib import Path
from typing import Any, Callable, Dict, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wirespeed.errors import BadInput, Place
from wirespeed.model import facts
from wirespeed.model.facts import FACTS_VERSION, dump, parse, parse_text
from wirespeed.model.nic import Nic
from wirespeed.model.node import InstanceFacts, Node
from wirespeed.model.settings import Setting

HERE = Place("edge1.json")
RECORDED = Path(__file__).parent / "facts" / "veth_node.json"

PLAIN: Dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    int: st.integers(-(2**64), 2**64),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    type(None): st.none(),
}


def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Whatever fits an annotation of the model; a fact that is added to the model is tried without a line here."""
    if kind in PLAIN:
        return PLAIN[kind]
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        fields = {each.name: any_of(hints[each.name]) for each in dataclasses.fields(kind)}
        return st.fixed_dictionaries(fields).map(lambda found: kind(**found))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    origin, of = get_origin(kind), get_args(kind)
    if origin is Union:
        return st.one_of(*map(any_of, of))
    if origin is abc.Mapping:
        return st.dictionaries(any_of(of[0]), any_of(of[1]), max_size=3)
    if origin is frozenset:
        return st.frozensets(any_of(of[0]), max_size=3)
    assert origin is tuple, kind
    return st.lists(any_of(of[0]), max_size=3).map(tuple) if of[1:] == (...,) else st.tuples(*map(any_of, of))


NICS = st.lists(any_of(Nic), max_size=2).map(lambda found: {nic.name: nic for nic in found})


def without_delivered_rows(found: InstanceFacts) -> InstanceFacts:
    """They may be millions, and are no facts."""
    return found if found.configuration is None else dataclasses.replace(found, tables={})


@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(any_of(Node), NICS)
def test_any_node_is_read_back_as_it_was(node: Node, nics: Dict[str, Nic]) -> None:
    node = dataclasses.replace(node, nics=nics)
    text = json.dumps(dump(node))
    again = parse_text(text, HERE)
    assert again == dataclasses.replace(node, instances=tuple(map(without_delivered_rows, node.instances)))
    assert json.dumps(dump(again)) == text


def recorded() -> Dict[str, Any]:
    return dict(json.loads(RECORDED.read_text(encoding="utf-8")))


def test_facts_that_an_earlier_version_captured_are_read() -> None:
    node = parse(recorded(), HERE)
    assert node.nics["ws0"].driver == "veth"
    assert node.nics["ws0"].settings[Setting.CHANNELS].values == {"rx": 4, "tx": 4}
    assert node.nics["ws0"].xdp is not None and node.nics["ws0"].xdp.pipeline == "scrubber"
    assert node.instances[0].tables["deny_v4"] == ("192.0.2.0/24",)


def test_what_ansible_adds_to_a_registered_result_is_no_fact() -> None:
    more = {"changed": False, "failed": False, "warnings": [], "deprecations": [], "invocation": {"module_args": {}}}
    assert parse({**recorded(), **more}, HERE) == parse(recorded(), HERE)


def test_what_the_profiles_add_to_a_nic_is_no_fact() -> None:
    data = recorded()
    assert {"profile", "findings"} <= set(data["nics"]["ws0"])
    for nic in data["nics"].values():
        del nic["profile"], nic["findings"]
    assert parse(data, HERE) == parse(recorded(), HERE)


def at(*path: str) -> Callable[[Dict[str, Any], Any], None]:
    def put(data: Dict[str, Any], value: Any) -> None:
        for key in path[:-1]:
            data = data[key]
        if value is ...:
            del data[path[-1]]
        else:
            data[path[-1]] = value

    return put


WS0 = ("nics", "ws0")
MTU = (*WS0, "settings", "mtu")


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("facts_version",), ..., "facts_version: is missing, so this is no node's facts"),
        (("facts_version",), "1", "facts_version: is '1'. Allowed: 1 to 1."),
        (("facts_version",), True, "facts_version: is True. Allowed: 1 to 1."),
        (("facts_version",), 0, "facts_version: is 0. Allowed: 1 to 1."),
        (("failed",), True, "failed: is true: this is the result of a task that failed."),
        (("nics",), ..., "nics: is missing."),
        (("nics",), [], "nics: is []. Allowed: a mapping."),
        ((*WS0,), None, "nics.ws0: is None. Allowed: a mapping."),
        ((*WS0, "name"), "ws1", "nics.ws0.name: is 'ws1'. Allowed: 'ws0'"),
        ((*WS0, "driver"), ..., "nics.ws0.driver: is missing."),
        ((*WS0, "driver"), 7, "nics.ws0.driver: is 7. Allowed: a text."),
        ((*WS0, "drivr"), "veth", "nics.ws0.drivr: 'drivr' is not known here. Did you mean 'driver'?"),
        ((*WS0, "up"), 1, "nics.ws0.up: is 1. Allowed: true or false."),
        ((*WS0, "ifindex"), 1.5, "nics.ws0.ifindex: is 1.5. Allowed: a whole number."),
        ((*WS0, "ifindex"), 10**30, "nics.ws0.ifindex: is 1000000000000000000000000000000. Allowed: a whole number."),
        ((*WS0, "settings", "mtuu"), {}, "nics.ws0.settings.mtuu: 'mtuu' is not known here. Did you mean 'mtu'?"),
        ((*MTU, "values", "mtu"), None, "settings.mtu.values.mtu: is None. Allowed: a whole number, a text, true"),
        ((*MTU, "values", "mtu"), [1, "a"], "settings.mtu.values.mtu: is [1, 'a']. Allowed: a whole number"),
        ((*MTU, "fixed"), "mtu", "settings.mtu.fixed: is 'mtu'. Allowed: a list."),
        ((*WS0, "xdp", "mode"), "fast", "nics.ws0.xdp.mode: 'fast' is not known here."),
        (("kernel", "version"), [6], "kernel.version: is [6]. Allowed: a list of 2."),
        (("cpus_by_numa", "one"), 1, "cpus_by_numa.one: is 'one'. Allowed: a whole number."),
        (("ram_mib",), float("nan"), "ram_mib: is nan. Allowed: a whole number."),
    ],
)
def test_a_malformed_fact_is_told(path: Any, value: Any, told: str) -> None:
    data = recorded()
    at(*path)(data, value)
    with pytest.raises(BadInput) as error:
        parse_text(json.dumps(data), HERE)
    assert str(error.value).startswith("edge1.json: ") and told in str(error.value)


def test_facts_of_a_newer_version_are_refused_with_the_reason() -> None:
    with pytest.raises(BadInput, match=r"facts_version: is 2: .*a newer Wirespeed.*This one reads 1 to 1: upgrade"):
        parse({**recorded(), "facts_version": FACTS_VERSION + 1, "a_new_fact": 1}, HERE)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "edge1.json:1: is not valid JSON: Expecting value"),
        ('{"nics":\n {,}}', "edge1.json:2: is not valid JSON"),
        ("[]", "is not a mapping"),
        ("[" * 200_000, "is no facts file"),
        ('{"nics": {}, "nics": {}}', "the key 'nics' stands twice in one mapping"),
        ('{"facts_version": ' + "9" * 5000 + "}", "edge1.json: "),
    ],
)
def test_what_is_no_facts_file_is_told(text: str, told: str) -> None:
    with pytest.raises(BadInput) as error:
        parse_text(text, HERE)
    assert told in str(error.value) and len(str(error.value)) < 6000


def test_a_file_that_is_too_long_is_not_read_any_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "MAX_BYTES", 100)
    with pytest.raises(BadInput, match="has 101 bytes; at most 100 are taken"):
        parse_text(" " * 101, HERE)
