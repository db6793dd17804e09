# SPDX-License-Identifier: GPL-3.0-or-later
"""Receive-side scaling: how flows are spread over the receive queues.

Wanted forms of ``indirection``: a table (one queue per bucket), ``equal``, ``equal N`` for the
first N queues, ``weights W0 W1 ...`` one weight per queue, as ``ethtool -X`` has them. Of ``key``:
hexadecimal bytes, ``host`` for a key derived from the machine's identity, ``symmetric`` for the one
with which Toeplitz sends both directions of a flow to one queue.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Tuple

from ..errors import OutOfRange
from ..kernel import ethtool_rss, machine_id
from ..kernel.ethtool_rss import FUNCTIONS, TRANSFORMATIONS
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .channels import queues_made
from .room import worded

_TABLE, _KEY, _FUNCTION, _TRANSFORMATION = "indirection", "key", "function", "input-xfrm"
_HOST, _SYMMETRIC = "host", "symmetric"
_SYMMETRIC_BYTES = bytes((0x6D, 0x5A))
"""Repeated: Woo and Park, Scalable TCP Session Monitoring with Symmetric Receive-Side Scaling, 2012."""


def read(port: Port) -> SettingFacts:
    """``maxima`` holds the highest queue that the table may name now; ``derived`` the key of this host.

    A driver that cannot transform its input reads ``none`` there like one that does not.
    """
    rss = ethtool_rss.rss(port.name)
    values: Dict[str, Value] = {_TABLE: rss.indirection}
    if rss.key:
        values[_KEY] = rss.key.hex(":")
    if rss.function in FUNCTIONS.values():
        values[_FUNCTION] = _word(FUNCTIONS, rss.function)
    if rss.transformation is not None and rss.transformation in TRANSFORMATIONS.values():
        values[_TRANSFORMATION] = _word(TRANSFORMATIONS, rss.transformation)
    host = machine_id.derived("wirespeed rss key", len(rss.key))
    return SettingFacts(values, {_TABLE: rss.rings - 1}, derived={_KEY: host.hex(":")} if host else {})


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """The table over the planned receive queues, the key in full."""
    settled: Dict[str, Value] = {}
    for key, value in want.items():
        if key == _TABLE:
            settled[key] = table_of(value, _buckets(facts), _queues(facts, planned))
        elif key == _KEY and key in facts.values:
            settled[key] = _key(facts, value)
        else:
            words = {_FUNCTION: FUNCTIONS, _TRANSFORMATION: TRANSFORMATIONS}.get(key, {})
            settled[key] = worded(facts, key, value, tuple(words))
    return settled


def write(port: Port, values: Values) -> None:
    """What is not given stays."""
    table: Any = values.get(_TABLE)
    transformation = values.get(_TRANSFORMATION)
    ethtool_rss.set_rss(
        port.name,
        table,
        bytes.fromhex(str(values.get(_KEY, "")).replace(":", "")),
        FUNCTIONS.get(str(values.get(_FUNCTION)), 0),
        None if transformation is None else TRANSFORMATIONS[str(transformation)],
    )


def _word(words: Mapping[str, int], number: int) -> str:
    return next(word for word, each in words.items() if each == number)


def _key(facts: SettingFacts, value: Value) -> str:
    length = len(str(facts.values[_KEY]).split(":"))
    if value == _HOST and _KEY in facts.derived:
        return str(facts.derived[_KEY])
    if value == _SYMMETRIC:
        return (_SYMMETRIC_BYTES * length)[:length].hex(":")
    text = str(value).replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]+", text) or len(text) != 2 * length:
        host = "'host'" if _KEY in facts.derived else "'host' on a machine that has an /etc/machine-id"
        raise OutOfRange(_KEY, value, f"{length} bytes in hexadecimal, {host}, '{_SYMMETRIC}'")
    return bytes.fromhex(text).hex(":")


def _buckets(facts: SettingFacts) -> int:
    table: Any = facts.values[_TABLE]
    return len(table)


def _queues(facts: SettingFacts, planned: Mapping[Setting, Values]) -> int:
    counts = planned.get(Setting.CHANNELS)
    return (queues_made(counts, "rx") if counts else 0) or facts.maxima[_TABLE] + 1


def table_of(value: Value, buckets: int, queues: int) -> Tuple[int, ...]:
    """Words or a table as a table of ``buckets`` over ``queues`` queues. Raises :class:`OutOfRange`."""
    if isinstance(value, (tuple, list)):
        return _checked(tuple(value), buckets, queues)
    words = value.split() if isinstance(value, str) else []
    numbers = [int(word) for word in words[1:] if word.isdecimal()]
    if len(numbers) == len(words) - 1:
        if words[0] == "equal" and len(numbers) <= 1:
            return _equal(value, numbers[0] if numbers else queues, buckets, queues)
        if words[0] == "weights" and numbers:
            return _weighted(value, numbers, buckets, queues)
    raise OutOfRange(_TABLE, value, "'equal', 'equal N', 'weights W0 W1 ...' or a table of queue numbers")


def _checked(table: Tuple[object, ...], buckets: int, queues: int) -> Tuple[int, ...]:
    numbers = tuple(queue for queue in table if isinstance(queue, int) and not isinstance(queue, bool))
    if len(table) != buckets:
        raise OutOfRange(_TABLE, table, f"a table of {buckets} queue numbers, not of {len(table)}")
    if numbers != table or not all(0 <= queue < queues for queue in numbers):
        raise OutOfRange(_TABLE, table, f"queue numbers from 0 to {queues - 1}")
    return numbers


def _equal(value: Value, spread: int, buckets: int, queues: int) -> Tuple[int, ...]:
    if not 1 <= spread <= queues:
        raise OutOfRange(_TABLE, value, f"equal over 1 to {queues} queues")
    return tuple(bucket % spread for bucket in range(buckets))


def _weighted(value: Value, weights: List[int], buckets: int, queues: int) -> Tuple[int, ...]:
    """Each queue a run of buckets in proportion to its weight, rounded as ``ethtool -X ... weight`` rounds."""
    total = sum(weights)
    if len(weights) > queues:
        raise OutOfRange(_TABLE, value, f"at most one weight for each of the {queues} queues")
    if not 1 <= total <= buckets:
        raise OutOfRange(_TABLE, value, f"weights whose sum is 1 to {buckets}, the number of buckets")
    table = []
    queue, partial = -1, 0
    for bucket in range(buckets):
        while bucket >= buckets * partial // total:
            queue += 1
            partial += weights[queue]
        table.append(queue)
    return tuple(table)
