# SPDX-License-Identifier: GPL-3.0-or-later
"""What was foretold for a node, as it is kept over the reboot, and how the node differs from it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from ..model.nic import Nic
from ..plain import plain
from . import counter_ways
from .counter_ways import Ways
from .evidence import DriverFacts
from .of_intent import wants
from .sight import Sight, mode

FORMAT = 1


@dataclass(frozen=True)
class NicExpectation:
    """``mode`` is as what its program is attached, None without one. ``tuning`` is what intent and profile want.

    ``settings`` are those that the NIC told, so that something can be wanted of them: an interface that is down tells
    fewer with some drivers, and so may an older kernel.

    ``costs`` by operation, as texts. ``flags`` are private flags that the NIC has; ``may`` those that it can have
    besides, None where any can. ``counters`` are the candidates of each.
    """

    driver: str
    mode: Optional[str] = None
    settings: Tuple[str, ...] = ()
    tuning: Mapping[str, Any] = field(default_factory=dict)
    costs: Mapping[str, str] = field(default_factory=dict)
    flags: Tuple[str, ...] = ()
    may: Optional[Tuple[str, ...]] = None
    counters: Ways = field(default_factory=dict)


@dataclass(frozen=True)
class Expectation:
    """``kernel`` is the release that ran when it was made, ``target`` the one that it is about."""

    kernel: str
    target: str
    nics: Mapping[str, NicExpectation]
    changes: Tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> Dict[str, Any]:
        return {"format": FORMAT, **plain(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Expectation":
        """Raises KeyError, TypeError or ValueError for what :meth:`to_json` has not made."""
        if data["format"] != FORMAT:
            raise ValueError(f"its format is {data['format']!r}, and this version reads {FORMAT}")
        nics = {str(name): _nic(each) for name, each in data["nics"].items()}
        return cls(str(data["kernel"]), str(data["target"]), nics, tuple(data["changes"]))


def _nic(data: Mapping[str, Any]) -> NicExpectation:
    told = dict(data)
    told["flags"], told["settings"] = tuple(told["flags"]), tuple(told["settings"])
    told["may"] = None if told["may"] is None else tuple(told["may"])
    told["counters"] = {name: tuple(ways) for name, ways in told["counters"].items()}
    return NicExpectation(**told)


@dataclass(frozen=True)
class Difference:
    """``key`` is the aspect and what of it: ``tuning rss.indirection``."""

    nic: str
    key: str
    foretold: Any
    real: Any


def expected(sight: Sight, changes: Tuple[Any, ...], kernel: str) -> Expectation:
    """``sight`` is the node as it is booted into the target."""
    nics = {
        name: _expected(sight, sight.node.nics[name], driver)
        for name, driver in sight.facts.drivers.items()
        if name in sight.node.nics
    }
    return Expectation(kernel, sight.facts.kernel.release, nics, tuple(plain(each) for each in changes))


def _expected(sight: Sight, nic: Nic, driver: Optional[DriverFacts]) -> NicExpectation:
    wanted = sight.nics.get(nic.name)
    told = driver.private_flags if driver else None
    return NicExpectation(
        driver=nic.driver,
        mode=plain(mode(wanted)) if wanted else None,
        settings=tuple(sorted(setting.value for setting in nic.settings)),
        tuning=wants(wanted) if wanted else {},
        costs=_costs(sight, nic.name),
        flags=tuple(sorted(nic.private_flags)),
        may=None if told is None else tuple(sorted(flag for flag in told if flag not in nic.private_flags)),
        counters=sight.counters.get(nic.name, {}),
    )


def _costs(sight: Sight, name: str) -> Dict[str, str]:
    wanted = sight.nics.get(name)
    rules = wanted.profile.operations if wanted else {}
    return {key: f"{rule.bare}/{rule.attached or 'refused'}" for key, rule in rules.items()}


def real(sight: Sight, observed: Mapping[str, Nic]) -> Dict[str, NicExpectation]:
    """The same of the node as it is: ``sight`` is of the running kernel, ``observed`` its NICs with their programs."""
    found = {}
    for name, nic in observed.items():
        held = _expected(sight, nic, None)
        found[name] = NicExpectation(**{**vars(held), "mode": plain(nic.xdp.mode) if nic.xdp else None})
    return found


def differences(foretold: Expectation, found: Mapping[str, NicExpectation]) -> List[Difference]:
    """In the record's order. NICs that the record does not name are new; there is nothing to say of them."""
    told: List[Difference] = []
    for name, each in foretold.nics.items():
        now = found.get(name)
        if now is None:
            told.append(Difference(name, "interface", "there", "not there, or under another name"))
            continue
        told += _of_nic(name, each, now)
    return told


def untold(foretold: Expectation, found: Mapping[str, NicExpectation]) -> List[Difference]:
    """Values of settings that a NIC did not tell when it was foretold: they could not be, and are no difference."""
    return [
        Difference(name, f"tuning {key}", None, value)
        for name, each in foretold.nics.items()
        if name in found
        for key, value in found[name].tuning.items()
        if _setting(key) not in each.settings
    ]


def _setting(key: str) -> str:
    return key.partition(".")[0]


def _of_nic(name: str, foretold: NicExpectation, now: NicExpectation) -> Iterator[Difference]:
    if foretold.driver != now.driver:
        yield Difference(name, "driver", foretold.driver, now.driver)
    if foretold.mode is not None and foretold.mode != now.mode:
        yield Difference(name, "xdp", foretold.mode, now.mode)
    for key in dict.fromkeys((*foretold.tuning, *now.tuning)):
        if foretold.tuning.get(key) != now.tuning.get(key) and _setting(key) in foretold.settings:
            yield Difference(name, f"tuning {key}", foretold.tuning.get(key), now.tuning.get(key))
    for key, cost in foretold.costs.items():  # settings that the kernel before did not have are new
        if cost != now.costs.get(key, cost):
            yield Difference(name, f"cost {key}", cost, now.costs[key])
    yield from _of_flags(name, foretold, now)
    yield from _of_counters(name, foretold, now)


def _of_flags(name: str, foretold: NicExpectation, now: NicExpectation) -> Iterator[Difference]:
    for flag in foretold.flags:
        if flag not in now.flags:
            yield Difference(name, f"private flag {flag}", "stays", "gone")
    for flag in now.flags:
        if foretold.may is not None and flag not in (*foretold.flags, *foretold.may):
            yield Difference(name, f"private flag {flag}", None, "new")


def _of_counters(name: str, foretold: NicExpectation, now: NicExpectation) -> Iterator[Difference]:
    for counter, ways in foretold.counters.items():
        shown = now.counters.get(counter, ())
        if (shown[0] if shown else counter_ways.NOT_SERVED) not in (ways or (counter_ways.NOT_SERVED,)):
            yield Difference(name, f"counter {counter}", counter_ways.joined(ways), counter_ways.joined(shown))
