# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each numbered frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """``taken``: numbers that were sent, from the first on without a hole. Each is in the ledger ``once``, ``twice``
    (or more often), or ``never``. ``strangers``: numbers in the ledger that were not sent.

    ``escaped``: frames that reached the stack, counted there and not by the ledger. ``nic_dropped``: frames that the
    NIC had no room for, by its own count. Both are among those that are in the ledger never.
    """

    taken: int
    once: int
    twice: int
    never: int
    strangers: int
    escaped: int
    nic_dropped: int = 0

    @property
    def lossless(self) -> bool:
        """Every frame that the NIC took was judged, once, by one generation or another."""
        wrong = self.twice, self.escaped, self.strangers, self.never - self.nic_dropped
        return self.taken > 0 and wrong == (0, 0, 0, 0)

    def __str__(self) -> str:
        dropped = f", the NIC itself dropped {self.nic_dropped}" if self.nic_dropped else ""
        return (
            f"{self.taken:,} frames taken: once {self.once:,}, twice {self.twice}, never {self.never:,}, "
            f"escaped {self.escaped:,}{dropped}"
        )


def account(seen: bytes, taken: int, escaped: int, nic_dropped: int = 0) -> Account:
    """``seen`` holds a byte for each number: how often it was noted."""
    sent, others = seen[:taken], seen[taken:]
    never, once = sent.count(0) + max(0, taken - len(seen)), sent.count(1)
    return Account(taken, once, taken - never - once, never, len(others) - others.count(0), escaped, nic_dropped)
