#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: counters_info
short_description: Read the counters of NICs and XDP pipelines in one vocabulary, and check that they add up
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Reads each NIC's own counters and the pipeline's verdicts, under names that mean the same on every driver.
    What a driver does not count is absent, which is not the same as zero.
  - With O(verify=true) it reads twice, O(window_seconds) apart, and checks that every packet which the NIC received
    in between is accounted for. It fails when one is not.
extends_documentation_fragment:
  - wirespeed.xdp.attributes
  - wirespeed.xdp.attributes.info
  - wirespeed.xdp.intent
options:
  verify:
    description: Check that the counters add up.
    type: bool
    default: false
  window_seconds:
    description: Time between the two readings of O(verify=true).
    type: float
    default: 2.0
  min_packets:
    description:
      - Packets that each NIC must have received within the window, else O(verify=true) fails.
      - The default V(0) accepts a silent NIC.
    type: int
    default: 0
seealso:
  - module: wirespeed.xdp.node
"""

EXAMPLES = r"""
- name: Read the counters
  wirespeed.xdp.counters_info:
    nics:
      - driver: igb
        pipeline: scrubber
    pipelines:
      - name: scrubber
  register: counters

- name: Fail unless every packet of two seconds is accounted for
  wirespeed.xdp.counters_info:
    nics:
      - name: enp1s0
        pipeline: scrubber
    pipelines:
      - name: scrubber
    verify: true
    window_seconds: 2
    min_packets: 1000
"""

RETURN = r"""
nics:
  description: One entry for each NIC of O(nics).
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import engine


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **_front.INTENT,
            "verify": {"type": "bool", "default": False},
            "window_seconds": {"type": "float", "default": 2.0},
            "min_packets": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    _front.finish(
        module,
        lambda: engine.counters(
            _front.intent(module),
            _front.bundle(module),
            verify=module.params["verify"],
            window_seconds=module.params["window_seconds"],
            min_packets=module.params["min_packets"],
        ),
    )


if __name__ == "__main__":
    main()
