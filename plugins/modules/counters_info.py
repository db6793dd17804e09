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
  - Reads twice, O(window_seconds) apart, and checks that every packet which the NIC received in between is accounted
    for. With O(verify=true) it fails when one is not.
extends_documentation_fragment:
  - wirespeed.xdp.attributes
  - wirespeed.xdp.attributes.info
  - wirespeed.xdp.intent
options:
  verify:
    description: Fail when the counters do not add up.
    type: bool
    default: false
  window_seconds:
    description: Time between the two readings, at the most.
    type: float
    default: 2.0
  min_packets:
    description:
      - Packets that must come within the window, else O(verify=true) fails. The window ends as soon as they have come.
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
  contains:
    name:
      description: Name of the NIC.
      type: str
      sample: enp1s0
    driver:
      description: Its kernel driver.
      type: str
      sample: igb
    counters:
      description:
        - What was counted within the window, by unified name; C(value) V(none) where the driver does not count it, with
          the reason in C(why). C(raw) names the driver's own counters.
      type: dict
      sample:
        wire_packets: {value: 1000, low: 1000, high: 1000, scope: port, confidence: source, raw: [rx_packets]}
    checks:
      description: What should add up, whether it does, and if it cannot be told, why.
      type: list
      elements: dict
    text:
      description: The same as lines for people.
      type: list
      elements: str
pipelines:
  description: The verdicts within the window, by the pipeline's name.
  returned: success
  type: dict
  sample:
    scrubber:
      nics: [enp1s0]
      verdicts:
        by_action: {pass: 600, drop: 400, total: 1000}
        by_name:
          pass: {packets: 600, bytes: 38400}
          deny_prefix_v4: {packets: 400, bytes: 25600}
findings:
  description: What does not add up, a sentence each. With O(verify=true) any of them is a failure.
  returned: success
  type: list
  elements: str
  sample: []
seconds:
  description: How long the window was.
  returned: success
  type: float
  sample: 2.01
text:
  description: All of it as lines for people.
  returned: success
  type: list
  elements: str
outcome:
  description: All of the above.
  returned: failure of O(verify=true)
  type: dict
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
            _front.intent(module.params),
            _front.bundle(module),
            verify=module.params["verify"],
            window_seconds=module.params["window_seconds"],
            min_packets=module.params["min_packets"],
        ),
    )


if __name__ == "__main__":
    main()
