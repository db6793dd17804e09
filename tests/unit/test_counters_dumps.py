# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables on real machines' ``ethtool -S`` texts, where a collection of them lies beside the checkout."""

from __future__ import annotations

from pathlib import Path
from typing import List, Tuple

import pytest

from tests.unit import counter_cases as cases
from wirespeed.counters.rawstats import RawStats
from wirespeed.counters.table import Counter

DUMPS = Path(__file__).parents[2].parent / "shared" / "dumps"

# Each by hand from the text of the dump.
EXPECTED = {
    "virtio_net__S__1": {Counter.DRIVER_PACKETS: 10282181 + 10401806, Counter.XDP_DROP: None, Counter.HOST_DROP: None},
    "vmxnet3__S__1": {
        Counter.DRIVER_PACKETS: 40863 + 112048 + 79384 + 143523 + 82558 + 17327,
        Counter.WIRE_BYTES: 75776304 + 38879727 + 9352174 + 23059888 + 22900279 + 4360015,
        Counter.HOST_DROP: 0,
        Counter.XDP_PACKETS: None,
    },
    "e1000e__S__1": {Counter.WIRE_PACKETS: 567425, Counter.NIC_DROP: 0, Counter.DRIVER_PACKETS: None},
    "igb__S__2": {Counter.DRIVER_PACKETS: 0, Counter.NIC_DROP: 0, Counter.XDP_DROP: None},
}


def parsed(text: str) -> Tuple[Tuple[str, int], ...]:
    """``ethtool -S`` puts five blanks before each name; some dumps have none."""
    stats: List[Tuple[str, int]] = []
    for line in text.splitlines():
        name, colon, value = line.rpartition(":")
        if colon and value.strip().isdigit() and not line.startswith("#"):
            stats.append((name[5:] if name.startswith("     ") else name, int(value)))
    return tuple(stats)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_dump_reads_as_by_hand(name: str) -> None:
    dump = DUMPS / f"{name}.txt"
    if not dump.exists():
        pytest.skip(f"no dump {dump}: the collection of recorded ethtool texts is not here")
    driver = name.split("__")[0]
    found = cases.unified(driver, RawStats(parsed(dump.read_text()), {}, cases.link()), (6, 1))
    assert {counter: found.value(counter) for counter in EXPECTED[name]} == EXPECTED[name]
