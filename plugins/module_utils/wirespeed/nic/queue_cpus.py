# SPDX-License-Identifier: GPL-3.0-or-later
"""CPUs of queues as one text, the value of ``irq_affinity``, ``xps`` and ``rps``: pure.

``0 1 2-3,8 -`` gives the CPUs of queues 0 to 3, the last of which has none; ``0/1`` is a queue whose
receive and transmit interrupts go to different CPUs. Two words stand for common lists, whatever the
number of queues: ``spread`` for the queues spread over the machine by rule, ``none`` for no CPU at all.
What reads like such a list reads as the word, so a list and a word that mean the same are the same.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Sequence, Set, Tuple

from ..errors import OutOfRange
from ..kernel.cpus import list_text
from ..kernel.host import cpu_list
from ..model.settings import SettingFacts, Value, Values

KEY = "cpus"
NONE, SPREAD = "none", "spread"
NEAR, RUNNING = "near", "running"
"""Keys of ``SettingFacts.derived``: the CPUs on the NIC's memory node, and all."""

Queues = List[List[Set[int]]]
"""For each queue the CPUs of each of its interrupts; one entry where it has one mask."""

Rule = Callable[[int], Queues]
"""What ``spread`` means for a number of queues."""

_ENTRY = re.compile(r"(?:-|\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)")


def one_each(count: int, cpus: Sequence[int]) -> Queues:
    """Queue by queue one CPU, and from the start again when they run out."""
    return [[{cpus[queue % len(cpus)]}] for queue in range(count)]


def all_shared(count: int, cpus: Sequence[int]) -> Queues:
    """Every CPU has one queue; CPU N in the order of ``cpus`` has the queue N modulo ``count``."""
    return [[set(cpus[queue::count])] for queue in range(count)]


def text_of(queues: Queues) -> str:
    return " ".join("/".join(list_text(cpus) or "-" for cpus in _distinct(queue)) for queue in queues)


def parsed(text: str) -> Queues:
    """The inverse of :func:`text_of`. Raises ValueError."""
    return [[_cpus(part) for part in entry.split("/")] for entry in text.split()]


def _distinct(queue: List[Set[int]]) -> List[Set[int]]:
    return queue[:1] if all(cpus == queue[0] for cpus in queue) else queue


def _cpus(part: str) -> Set[int]:
    if not _ENTRY.fullmatch(part):
        raise ValueError(part)
    return set() if part == "-" else cpu_list(part)


def facts_of(queues: Queues, rule: Rule, near: Tuple[int, ...], running: Tuple[int, ...]) -> SettingFacts:
    """``maxima`` holds the highest queue there is now."""
    text = text_of(queues)
    if text == text_of(rule(len(queues))):
        text = SPREAD
    elif not any(cpus for queue in queues for cpus in queue):
        text = NONE
    return SettingFacts({KEY: text}, {KEY: len(queues) - 1}, derived={NEAR: near, RUNNING: running})


def settle(
    facts: SettingFacts, want: Values, words: Sequence[str], planned_queues: int, rule: Rule
) -> Dict[str, Value]:
    """A list is for the queues that there are, or for ``planned_queues`` (0 where that is not known)."""
    counts = {facts.maxima[KEY] + 1, planned_queues or facts.maxima[KEY] + 1}
    settled: Dict[str, Value] = {}
    for key, value in want.items():
        if key != KEY:
            raise OutOfRange(key, value, f"only {KEY!r}; this NIC has no {key!r}")
        settled[key] = value if value in words else _list(str(value), words, counts, running(facts), rule)
    return settled


def _list(value: str, words: Sequence[str], counts: Set[int], cpus: Tuple[int, ...], rule: Rule) -> str:
    lengths = " or ".join(map(str, sorted(counts)))
    try:
        queues = parsed(value)
    except ValueError:
        queues = []
    used = {cpu for queue in queues for each in queue for cpu in each}
    if len(queues) not in counts or not used <= set(cpus) or (not used and NONE not in words):
        allowed = f"{', '.join(words)}, or for each of {lengths} queues some of the CPUs {list_text(cpus)}: '0 1 2-3'"
        raise OutOfRange(KEY, value, allowed)
    if not used:
        return NONE
    return SPREAD if text_of(queues) == text_of(rule(len(queues))) else text_of(queues)


def of_word(value: Value, count: int, rule: Rule) -> Queues:
    """The queues' CPUs that a settled value means for ``count`` queues."""
    if value == SPREAD:
        return rule(count)
    return [[set()]] * count if value == NONE else parsed(str(value))


def same(have: str, want: str) -> bool:
    """Whether two texts agree as far as both go.

    An undo gives back the CPUs of the queues that there were, before it takes away those that were added.
    """
    return all(one == other for one, other in zip(have.split(), want.split()))


def near(facts: SettingFacts) -> Tuple[int, ...]:
    return _tuple(facts.derived.get(NEAR))


def running(facts: SettingFacts) -> Tuple[int, ...]:
    return _tuple(facts.derived.get(RUNNING))


def _tuple(value: object) -> Tuple[int, ...]:
    return value if isinstance(value, tuple) else ()
