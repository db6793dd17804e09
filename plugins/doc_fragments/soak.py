# SPDX-License-Identifier: GPL-3.0-or-later
"""The option by which a change has to prove itself before it is kept."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  soak:
    description:
      - Counters are watched for a while before the change and for as long after it. The change is undone, and the
        module fails, when verdicts or NICs misbehave since then, as in a manifest's health gate; when a NIC has lost
        its carrier; when a peer of O(soak.reach) does not answer any more; or when the connection over which the
        module was called is gone, so that nobody would hear that it did not hold.
      - Where nothing is to be changed, nothing is waited for. Not done in check mode.
    type: dict
    suboptions:
      seconds:
        description: How long, from 0.1 to 600, once before and once after. With V(0) nothing is watched.
        type: float
        default: 0.0
      min_packets:
        description:
          - In each of the two windows; shares of fewer packets are not judged.
          - This and the next three go before what the manifest's C(health) says, and have its defaults where neither
            says anything.
        type: int
      max_change:
        description: By how much the share of any verdict may change, from V(0) to V(1).
        type: float
      max_errors:
        description: How many more errors than before the NICs may count.
        type: int
      verdicts:
        description: Bounds of single verdicts by name, each with C(max_share), C(max_change) or both.
        type: dict
      reach:
        description:
          - Addresses with a TCP port, such as V(192.0.2.1:22), that the node must still reach. A refused connection
            is an answer too. One that did not answer before the change is told in a warning.
        type: list
        elements: str
        default: []
"""
