# SPDX-License-Identifier: GPL-3.0-or-later
"""Additional RSS contexts: tables beside the default one, which rules (``ntuple``) send packets to.

``contexts`` is the complete list; a rule names the first of them 1, the next 2. Each is a text: ``queues 2-3``
gives those queues equal shares, ``equal``, ``equal N`` and ``weights W0 W1 ...`` mean what they mean for
``rss.indirection``, ``table Q0 Q1 ...`` names the queue of each bucket. A table reads as ``queues`` if it can,
else as ``weights``, else as ``table``, so that one table has one text.
"""

from __future__ import annotations

import errno
import re
from functools import reduce
from math import gcd
from typing import Dict, List, Mapping, Optional, Tuple

from ..errors import KernelRefusal, NotSupported, OutOfRange
from ..kernel import ethtool_rss
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .channels import queues_made
from .rss import table_of

KEY = "contexts"
_BUCKETS = "buckets"
"""Key of ``SettingFacts.derived``: how many each table has."""

_QUEUES = re.compile(r"\d{1,5}(?:-\d{1,5})?")
_WORDS = "'queues 2-3', 'equal', 'equal N', 'weights W0 W1 ...' or 'table Q0 Q1 ...'"

Table = Tuple[int, ...]


def read(port: Port) -> SettingFacts:
    """``maxima`` holds the highest queue that a table may name now."""
    found = ethtool_rss.contexts(port.name)
    main = ethtool_rss.rss(port.name)
    texts = tuple(text_of(context.indirection) for context in found)
    return SettingFacts({KEY: texts}, {KEY: main.rings - 1}, derived={_BUCKETS: len(main.indirection)})


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """Each table in its one text, over the planned receive queues."""
    queues = queues_made(planned.get(Setting.CHANNELS, {}), "rx") or facts.maxima[KEY] + 1
    buckets = int(str(facts.derived[_BUCKETS]))
    settled: Dict[str, Value] = {}
    for key, value in want.items():
        if key != KEY or not isinstance(value, tuple):
            raise OutOfRange(key, value, f"only {KEY!r}, a list of tables")
        settled[key] = tuple(text_of(parsed(str(text), buckets, queues)) for text in value)
    return settled


def write(port: Port, values: Values) -> None:
    """What is there is changed in place, so that rules keep pointing at it; then what lacks is made."""
    main = ethtool_rss.rss(port.name)
    wanted_value = values[KEY]
    texts = wanted_value if isinstance(wanted_value, tuple) else ()
    wanted = [parsed(str(text), len(main.indirection), main.rings) for text in texts]
    present = ethtool_rss.contexts(port.name)
    for context in reversed(present[len(wanted) :]):
        _delete(port, context.id)
    for table in wanted[len(present) :]:
        _create(port, table)
    for context, table in zip(ethtool_rss.contexts(port.name), wanted):
        if context.indirection != table:
            ethtool_rss.set_context(port.name, context.id, table)


def _delete(port: Port, number: int) -> None:
    try:
        ethtool_rss.delete_context(port.name, number)
    except KernelRefusal as error:
        if error.code != errno.EBUSY:
            raise
        remedy = "A rule still sends packets to it: leave the context, or remove the rule from ntuple rules."
        raise KernelRefusal(error.call, error.code, error.reason, remedy) from None


def _create(port: Port, table: Table) -> None:
    try:
        ethtool_rss.set_context(port.name, None, table)
    except NotSupported:
        raise
    except KernelRefusal as error:
        remedy = "The NIC may have no room for another context: ask for fewer."
        raise KernelRefusal(error.call, error.code, error.reason, remedy) from None


def parsed(text: str, buckets: int, queues: int) -> Table:
    """Raises :class:`OutOfRange`."""
    word, dummy, rest = text.strip().partition(" ")
    try:
        if word == "queues":
            named = _numbers(text, rest)
            return table_of(tuple(named[i % len(named)] for i in range(buckets)), buckets, queues)
        if word == "table":
            return table_of(tuple(_numbers(text, rest)), buckets, queues)
        return table_of(text.strip(), buckets, queues)
    except OutOfRange as error:
        allowed = error.allowed if word in ("queues", "table", "weights", "equal") else _WORDS
        raise OutOfRange(KEY, text, allowed) from None


def _numbers(text: str, rest: str) -> List[int]:
    """``2-4 7`` to 2, 3, 4, 7."""
    parts = rest.replace(",", " ").split()
    if not parts or not all(_QUEUES.fullmatch(part) for part in parts):
        raise OutOfRange(KEY, text, _WORDS)
    numbers: List[int] = []
    for part in parts:
        first, dummy, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    if not numbers:
        raise OutOfRange(KEY, text, _WORDS)
    return numbers


def text_of(table: Table) -> str:
    """The one text of a table."""
    named = tuple(dict.fromkeys(table))
    if all(queue == named[i % len(named)] for i, queue in enumerate(table)):
        return f"queues {_ranges(named)}"
    weights = _weights(table)
    return f"table {_ranges(table)}" if weights is None else f"weights {weights}"


def _weights(table: Table) -> Optional[str]:
    """The weights of a table in which each queue has one run of buckets and the runs ascend; else None."""
    if list(table) != sorted(table):
        return None
    counts = [table.count(queue) for queue in range(max(table) + 1)]
    common = reduce(gcd, counts)
    return " ".join(str(count // common) for count in counts)


def _ranges(numbers: Table) -> str:
    """Ascending neighbours as ``2-4``, everything else as it stands."""
    runs: List[List[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
