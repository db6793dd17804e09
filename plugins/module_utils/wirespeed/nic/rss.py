# SPDX-License-Identifier: GPL-3.0-or-later
"""Receive-side scaling: the indirection table that spreads flows over the receive queues.

Wanted forms of ``indirection``: a table (one queue per bucket), ``equal``, ``equal N`` for the
first N queues, ``weights W0 W1 ...`` one weight per queue, as ``ethtool -X`` has them.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ..errors import OutOfRange
from ..kernel import ethtool_ioctl
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .channels import receive_queues

_KEY = "indirection"


def read(port: Port) -> SettingFacts:
    """``maxima`` holds the highest queue that the table may name now."""
    rss = ethtool_ioctl.rss(port.name)
    return SettingFacts({_KEY: rss.indirection}, {_KEY: rss.rings - 1})


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """The table over the planned receive queues."""
    settled: Dict[str, Value] = {}
    for key, value in want.items():
        if key != _KEY:
            raise OutOfRange(key, value, f"only {_KEY!r}; this NIC has no {key!r}")
        settled[key] = _table(value, _buckets(facts), _queues(facts, planned))
    return settled


def write(port: Port, values: Values) -> None:
    """Sets the table; key and hash function stay."""
    table: Any = values[_KEY]
    ethtool_ioctl.set_rss(port.name, table)


def _buckets(facts: SettingFacts) -> int:
    table: Any = facts.values[_KEY]
    return len(table)


def _queues(facts: SettingFacts, planned: Mapping[Setting, Values]) -> int:
    counts = planned.get(Setting.CHANNELS)
    return (receive_queues(counts) if counts else 0) or facts.maxima[_KEY] + 1


def _table(value: Value, buckets: int, queues: int) -> Tuple[int, ...]:
    if isinstance(value, (tuple, list)):
        return _checked(value, buckets, queues)
    words = value.split() if isinstance(value, str) else []
    numbers = [int(word) for word in words[1:] if word.isdecimal()]
    if len(numbers) == len(words) - 1:
        if words[0] == "equal" and len(numbers) <= 1:
            return _equal(value, numbers[0] if numbers else queues, buckets, queues)
        if words[0] == "weights" and numbers:
            return _weighted(value, numbers, buckets, queues)
    raise OutOfRange(_KEY, value, "'equal', 'equal N', 'weights W0 W1 ...' or a table of queue numbers")


def _checked(table: Sequence[int], buckets: int, queues: int) -> Tuple[int, ...]:
    if len(table) != buckets:
        raise OutOfRange(_KEY, table, f"a table of {buckets} queue numbers, not of {len(table)}")
    # isinstance() would take True for a queue.
    # pylint: disable-next=unidiomatic-typecheck
    if not all(type(queue) is int and 0 <= queue < queues for queue in table):
        raise OutOfRange(_KEY, table, f"queue numbers from 0 to {queues - 1}")
    return tuple(table)


def _equal(value: Value, spread: int, buckets: int, queues: int) -> Tuple[int, ...]:
    if not 1 <= spread <= queues:
        raise OutOfRange(_KEY, value, f"equal over 1 to {queues} queues")
    return tuple(bucket % spread for bucket in range(buckets))


def _weighted(value: Value, weights: List[int], buckets: int, queues: int) -> Tuple[int, ...]:
    """Each queue a run of buckets in proportion to its weight, rounded as ``ethtool -X ... weight`` rounds."""
    total = sum(weights)
    if len(weights) > queues:
        raise OutOfRange(_KEY, value, f"at most one weight for each of the {queues} queues")
    if not 1 <= total <= buckets:
        raise OutOfRange(_KEY, value, f"weights whose sum is 1 to {buckets}, the number of buckets")
    table = []
    queue, partial = -1, 0
    for bucket in range(buckets):
        while bucket >= buckets * partial // total:
            queue += 1
            partial += weights[queue]
        table.append(queue)
    return tuple(table)
