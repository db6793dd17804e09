# SPDX-License-Identifier: GPL-3.0-or-later
"""Interrupt coalescing queue by queue, with the keys of ``coalesce``.

A value is one for all queues, or a list with one for each. What is the same on all queues reads as one value.
Where adaptive moderation runs on some queues only, their times and frames read 0 and are none that were set.
"""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, List, Mapping, Sequence, Tuple

from ..errors import NotSupported, OutOfRange
from ..kernel import ethtool_netlink, ethtool_parameters, ethtool_queue_coalesce
from ..kernel.ethtool_queue_coalesce import KEYS, SWITCHES, Queue
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .coalesce import MOVED_BY
from .room import counted, switched

_QUEUES = "queues"
"""Key of ``SettingFacts.derived``: how many there are now."""


def read(port: Port) -> SettingFacts:
    """One call where the driver has no such operation; else only keys that it has for all queues too."""
    ethtool_queue_coalesce.read(port.name, 1)
    count = _count(port)
    queues = ethtool_queue_coalesce.read(port.name, count)
    known = [key for key in KEYS if key in ethtool_parameters.read(ethtool_parameters.COALESCE, port)]
    mixed = [key for switch, keys in MOVED_BY.items() if len({queue[switch] for queue in queues}) > 1 for key in keys]
    values = {
        key: _collapsed([0 if key in mixed and _moved(queue, key) else queue[key] for queue in queues]) for key in known
    }
    return SettingFacts(values, floating=_floating(values), derived={_QUEUES: count})


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """One value where all are the same. As in ``coalesce``, a fixed value turns moderation off on its queues."""
    now = int(str(facts.derived.get(_QUEUES, 1)))
    after = _made(planned.get(Setting.CHANNELS, {})) or now
    lists = {key: _list(facts, key, value, after) for key, value in want.items()}
    for switch, keys in MOVED_BY.items():
        fixed = [key for key in keys if key in lists]
        if fixed and switch not in lists and _any(facts.values.get(switch)):
            lists[switch] = [False] * after
    for switch, keys in MOVED_BY.items():
        moved = lists.get(switch, [False] * after)
        for key in [key for key in keys if key in lists]:
            lists[key] = [0 if each else value for each, value in zip(moved, lists[key])]
            if all(moved):
                del lists[key]
    return {key: _collapsed(values) for key, values in lists.items()}


def write(port: Port, values: Values) -> None:
    """Moderation on or off first, then what is fixed (see ``coalesce.write``). Queues beyond a list stay."""
    switches = {key: value for key, value in values.items() if key in SWITCHES}
    fixed = {key: value for key, value in values.items() if key not in SWITCHES}
    for part in (switches, fixed):
        if part:
            _write(port, part)


def _write(port: Port, values: Values) -> None:
    have = ethtool_queue_coalesce.read(port.name, _count(port))
    want: Dict[int, Queue] = {}
    for number, queue in enumerate(have):
        new = {**queue, **_of_queue(values, number, queue)}
        if new != queue:
            want[number] = new
    ethtool_queue_coalesce.write(port.name, want)


def _of_queue(values: Values, number: int, queue: Queue) -> Queue:
    found: Dict[str, Any] = {}
    for key, value in values.items():
        each = value if isinstance(value, tuple) else (value,) * (number + 1)
        if number < len(each) and not _moved(queue, key):
            found[key] = each[number]
    return found


def same(have: object, want: object) -> bool:
    """Whether two values agree for the queues that both name: an undo meets other queues than there were."""
    if isinstance(have, tuple) or isinstance(want, tuple):
        length = min(len(each) for each in (have, want) if isinstance(each, tuple))
        return all(one == other for one, other in zip(_each(have, length), _each(want, length)))
    return have == want


def _each(value: object, count: int) -> Tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,) * count


def _count(port: Port) -> int:
    try:
        return _made(ethtool_netlink.channels(port).current) or 1
    except NotSupported:
        return 1


def _made(counts: Mapping[str, Any]) -> int:
    """Queues are numbered over rx and tx alike: the kernel's call has one number for both."""
    return int(counts.get("combined", 0)) + max(int(counts.get("rx", 0)), int(counts.get("tx", 0)))


def _moved(queue: Queue, key: str) -> bool:
    return any(key in keys and queue[switch] for switch, keys in MOVED_BY.items())


def _any(value: object) -> bool:
    return any(value) if isinstance(value, tuple) else bool(value)


def _list(facts: SettingFacts, key: str, value: Value, count: int) -> List[Any]:
    if isinstance(value, tuple) and len(value) != count:
        raise OutOfRange(key, value, f"one value for all queues, or {count}: one for each, not {len(value)}")
    entries: Sequence[Any] = value if isinstance(value, tuple) else (value,) * count
    if key in SWITCHES:
        return [switched(facts, key, entry) for entry in entries]
    return [counted(facts, key, entry, 0) for entry in entries]


def _collapsed(values: Sequence[Any]) -> Any:
    return values[0] if len(set(values)) == 1 else tuple(values)


def _floating(values: Values) -> FrozenSet[str]:
    """What moderation moves on every queue."""
    return frozenset(
        key for switch, keys in MOVED_BY.items() if values.get(switch) is True for key in keys if key in values
    )
