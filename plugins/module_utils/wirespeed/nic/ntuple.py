# SPDX-License-Identifier: GPL-3.0-or-later
"""Classification rules (``ethtool -N``): which packets the NIC steers past RSS, to a queue, a context, or nowhere.

``rules`` is the complete list. A rule's place decides where two match: the lowest location first. Where the
driver leaves the locations to the caller, rules without ``loc`` get the free ones from 0 in the order of the list,
whatever is there now, so that the same list always means the same table.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ..errors import KernelRefusal, NotSupported, OutOfRange, WirespeedError
from ..kernel import ethtool_rss, ethtool_rxclass
from ..kernel.ethtool_rxclass import FlowSpec, RuleTable
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .channels import queues_made
from .flow_rule import Rule, parsed, rule_of, spec_of

KEY = "rules"
_LOCATIONS, _CHOOSES = "locations", "driver-chooses"
"""Keys of ``SettingFacts.derived``: how many there are (0: not told), and whether the driver chooses among them."""


def read(port: Port) -> SettingFacts:
    """``maxima`` holds the highest queue that a rule may name now."""
    table = ethtool_rxclass.rules(port.name)
    texts = tuple(text for text, _spec in _told(port, table))
    derived: Dict[str, Value] = {_LOCATIONS: table.size, _CHOOSES: table.driver_chooses}
    return SettingFacts({KEY: texts}, {KEY: table.rings - 1}, derived=derived)


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """Each rule in its one text, by location; queues and contexts as they will be."""
    settled: Dict[str, Value] = {}
    for key, value in want.items():
        if key != KEY or not isinstance(value, tuple):
            raise OutOfRange(key, value, f"only {KEY!r}, a list of rules")
        rules = [_rule(str(text)) for text in value]
        for text, rule in zip(value, rules):
            _check(str(text), rule, facts, planned)
        settled[key] = tuple(map(str, _ordered(_located(rules, facts))))
    return settled


def write(port: Port, values: Values) -> None:
    """Removes what is not wanted, then inserts what lacks: a full table has room, and a new rule meets no old one.

    What a driver refuses half-way leaves the rules as they were.
    """
    table = ethtool_rxclass.rules(port.name)
    present = _told(port, table)
    wanted = [parsed(str(text)) for text in _texts(values[KEY])]
    ids = _context_ids(port) if any(rule.context for rule in wanted) else ()
    wanted_texts = {str(rule) for rule in wanted}
    have = {text for text, _spec in present}
    removed: List[Tuple[str, FlowSpec]] = []
    inserted: List[Tuple[str, int]] = []
    try:
        for text, spec in present:
            if text not in wanted_texts:
                ethtool_rxclass.delete(port.name, spec.location, text)
                removed.append((text, spec))
        for rule in wanted:
            if str(rule) not in have:
                spec = spec_of(rule, _id_of(port, ids))
                inserted.append((str(rule), _insert(port, spec, str(rule))))
    except WirespeedError:
        _take_back(port, table, removed, inserted)
        raise


def _take_back(
    port: Port, table: RuleTable, removed: Sequence[Tuple[str, FlowSpec]], inserted: Sequence[Tuple[str, int]]
) -> None:
    """As far as the driver lets it: the first refusal is the one that is told."""
    for text, location in reversed(inserted):
        with suppress(KernelRefusal):
            ethtool_rxclass.delete(port.name, location, text)
    for text, spec in removed:
        with suppress(KernelRefusal):
            place = ethtool_rxclass.ANY if table.driver_chooses else spec.location
            ethtool_rxclass.insert(port.name, replace(spec, location=place), text)


def _insert(port: Port, spec: FlowSpec, words: str) -> int:
    try:
        return ethtool_rxclass.insert(port.name, spec, words)
    except KernelRefusal as error:
        remedy = (
            "The driver cannot match or do what this rule says, or has no room for it; the kernel log may say more."
        )
        raise KernelRefusal(f"{error.call} on {port.name}", error.code, error.reason, remedy) from None


def _told(port: Port, table: RuleTable) -> List[Tuple[str, FlowSpec]]:
    """Every rule with its text, by location, or by text where the driver chooses the locations."""
    ids: Sequence[int] = ()
    if any(spec.flow & ethtool_rxclass.TO_CONTEXT for spec in table.rules):
        ids = _context_ids(port)
    numbers = {context: number for number, context in enumerate(ids, 1)}
    told = []
    for spec in table.rules:
        rule = rule_of(spec, numbers.get(spec.context, spec.context), not table.driver_chooses)
        told.append((f"flow {spec.flow:#x} loc {spec.location}" if rule is None else str(rule), spec))
    return sorted(told, key=lambda each: each[0]) if table.driver_chooses else told


def _context_ids(port: Port) -> Tuple[int, ...]:
    try:
        return tuple(context.id for context in ethtool_rss.contexts(port.name))
    except NotSupported:
        return ()


def _id_of(port: Port, ids: Sequence[int]) -> Callable[[int], int]:
    def id_of(number: int) -> int:
        if number > len(ids):
            raise OutOfRange(KEY, f"context {number}", f"the {len(ids)} additional RSS contexts of {port.name}")
        return ids[number - 1]

    return id_of


def _texts(value: Value) -> Sequence[object]:
    return value if isinstance(value, tuple) else ()


def _rule(text: str) -> Rule:
    try:
        return parsed(text)
    except ValueError as error:
        example = "a rule in the words of `ethtool -N`, such as 'udp4 dst-port 53 action 2'; this one"
        raise OutOfRange(KEY, text, f"{example} {error}") from None


def _check(text: str, rule: Rule, facts: SettingFacts, planned: Mapping[Setting, Values]) -> None:
    queues = queues_made(planned.get(Setting.CHANNELS, {}), "rx") or facts.maxima[KEY] + 1
    if rule.ring is not None and rule.ring >= queues:
        raise OutOfRange(KEY, text, f"action 0 to {queues - 1}, the receive queues as planned, or -1 to drop")
    contexts = planned.get(Setting.RSS_CONTEXTS, {}).get("contexts", ())
    if rule.context > len(_texts(contexts)):
        raise OutOfRange(KEY, text, f"one of the {len(_texts(contexts))} contexts of rss_contexts, as planned")
    size = int(str(facts.derived.get(_LOCATIONS, 0)))
    if rule.location is not None and facts.derived.get(_CHOOSES):
        raise OutOfRange(KEY, text, "no loc: this driver chooses the locations")
    if rule.location is not None and size and rule.location >= size:
        raise OutOfRange(KEY, text, f"loc 0 to {size - 1}")


def _located(rules: List[Rule], facts: SettingFacts) -> List[Rule]:
    """Every rule with a location of its own, unless the driver chooses. Two that match the same are a mistake."""
    texts = [str(rule) for rule in rules]
    twice = next((text for i, text in enumerate(texts) if text in texts[:i]), None)
    if twice is not None:
        raise OutOfRange(KEY, twice, "each rule once")
    if facts.derived.get(_CHOOSES):
        return rules
    taken = [rule.location for rule in rules if rule.location is not None]
    clash: Optional[int] = next((place for place in taken if taken.count(place) > 1), None)
    if clash is not None:
        raise OutOfRange(KEY, f"loc {clash}", "each location once")
    size = int(str(facts.derived.get(_LOCATIONS, 0))) or len(rules) + max(taken, default=0) + 1
    if len(rules) > size:
        raise OutOfRange(KEY, f"{len(rules)} rules", f"at most {size}, the locations that the driver has")
    free = iter(sorted(set(range(size)) - set(taken)))
    return [rule if rule.location is not None else rule.at(next(free)) for rule in rules]


def _ordered(rules: List[Rule]) -> List[Rule]:
    return sorted(rules, key=lambda rule: (-1, str(rule)) if rule.location is None else (rule.location, ""))
