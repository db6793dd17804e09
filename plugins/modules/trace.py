#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: trace
short_description: Write packets of a NIC with what its XDP pipeline decided to a file for Wireshark
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - >-
    Writes pcapng on the node. Beside each packet stands what became of it and why, in a comment like
    C(cus: 601, pol: 1121, mitigation: cm_cs, verdict: [DROP]), with its queue and XDP action.
  - The trace sits at the exit of what the NIC carries (fexit), where the kernel allows that. Elsewhere, and for the
    comment, the generation that is published runs once more with its notes on. That is a reload without loss, and it
    is taken back at the end.
  - It ends after O(seconds), or when the file has O(max_bytes). Packets that match and cannot be written are counted,
    in the result and in the file.
extends_documentation_fragment:
  - wirespeed.xdp.attributes
attributes:
  check_mode:
    support: full
    details:
      - Says how it would trace, and refuses what cannot be traced. Nothing is written.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each run writes the file anew.
options:
  nic:
    description: The NIC, by its name.
    type: str
    required: true
  dest:
    description: The file on the node, which is written anew; readable by root alone.
    type: path
    required: true
  filter:
    description:
      - A filter expression of tcpdump, such as V(udp port 53). Needs libpcap on the node.
      - It sees the first 2048 bytes of a packet, or O(snaplen) if that is more.
    type: str
  verdicts:
    description:
      - Only packets that met one of these, each an XDP action (V(aborted), V(drop), V(pass), V(tx), V(redirect)) or the
        name of a verdict of the pipeline.
      - A word that is both is the action.
    type: list
    elements: str
    default: []
  customer:
    description: Only packets of this customer.
    type: int
  policy:
    description: Only packets that this policy judged.
    type: int
  sample:
    description: One packet of so many, by chance.
    type: int
    default: 1
  snaplen:
    description: How many bytes of each packet are kept, 16384 at most.
    type: int
    default: 16384
  seconds:
    description: How long.
    type: float
    default: 60.0
  max_bytes:
    description: How large the file may become.
    type: int
    default: 100000000
  rate:
    description: How many packets a second are kept at most, of all CPUs together. V(0) means no limit.
    type: int
    default: 10000
  by:
    description: How packets are seen.
    type: str
    choices:
      auto: By fexit where that loads, else by the build.
      fexit: At the exit of what the NIC carries, whoever's program it is.
      build: From within the pipeline.
    default: auto
  swap:
    description:
      - Whether the pipeline may run with its notes on for that time. Without them only the action of a packet is known,
        and only fexit shows packets.
    type: bool
    default: true
  bundle:
    description:
      - Filled in by the action plugin on the control node, never by a playbook.
      - The compiled tracers, compressed and in Base64.
    type: str
seealso:
  - module: wirespeed.xdp.counters_info
"""

EXAMPLES = r"""
- name: See what the policy drops, for ten seconds
  wirespeed.xdp.trace:
    nic: enp1s0
    dest: /tmp/dropped.pcapng
    policy: 1121
    verdicts: [drop]
    seconds: 10

- name: Bring the file here
  ansible.builtin.fetch:
    src: /tmp/dropped.pcapng
    dest: traces/

- name: One DNS packet of a hundred, headers alone
  wirespeed.xdp.trace:
    nic: enp1s0
    dest: /tmp/dns.pcapng
    filter: udp port 53
    sample: 100
    snaplen: 96
"""

RETURN = r"""
file:
  description: The file.
  returned: success
  type: str
  sample: /tmp/dropped.pcapng
interface:
  description: The interface in the file, the pipeline's name and how its packets were seen.
  returned: success
  type: str
  sample: scrubber@fexit
packets:
  description:
    - How many packets were C(seen) on the NIC, how many of these C(matched) what was asked, and how many of those are
      C(written) or C(lost).
  returned: success and not in check mode
  type: dict
  sample: {seen: 120000, matched: 5000, written: 4990, lost: 10}
lost_by:
  description:
    - Packets that were lost by the O(rate), for want of room in the kernel's C(ring), or since the C(file) was full.
  returned: success and not in check mode
  type: dict
  sample: {rate: 0, ring: 10, file: 0}
bytes:
  description: The size of the file.
  returned: success and not in check mode
  type: int
  sample: 3200000
seconds:
  description: How long the trace was.
  returned: success and not in check mode
  type: float
  sample: 10.0
ended:
  description: Why it ended.
  returned: success and not in check mode
  type: str
  sample: its time was over
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import trace_engine
from ..module_utils.wirespeed.bundle import parse_tracers

SPEC = {
    "nic": {"type": "str", "required": True},
    "filter": {"type": "str"},
    "verdicts": {"type": "list", "elements": "str", "default": []},
    "customer": {"type": "int"},
    "policy": {"type": "int"},
    "sample": {"type": "int", "default": 1},
    "snaplen": {"type": "int", "default": 16384},
    "seconds": {"type": "float", "default": 60.0},
    "max_bytes": {"type": "int", "default": 100000000},
    "rate": {"type": "int", "default": 10000},
    "by": {"type": "str", "choices": ["auto", "fexit", "build"], "default": "auto"},
    "swap": {"type": "bool", "default": True},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec={**SPEC, "dest": {"type": "path", "required": True}, **_front.BUNDLE},
        supports_check_mode=True,
    )
    asked = {name: module.params[name] for name in SPEC}
    _front.finish(
        module,
        lambda: trace_engine.trace(
            asked, module.params["dest"], parse_tracers(_front.bundle(module)), check=module.check_mode
        ),
    )


if __name__ == "__main__":
    main()
