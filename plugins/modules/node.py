#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node
short_description: Bring all NICs of a node, their tuning and their XDP pipelines to where they should be
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Looks at the node, resolves the NIC profiles against what is there, plans the steps in the order that each driver
    needs, carries them out with a journal, and reads everything back. All NICs of the node in one transaction.
  - When a step fails, every step before it is undone, newest first, and the module fails with the reason. When the
    run is killed, the next one first brings the node back to a state before or after the step.
  - In check mode it stops after the plan, which lists the very steps that a run would take.
  - A program on an XDP hook that another loader put there is never touched; the module fails and says whose it is.
extends_documentation_fragment:
  - wirespeed.xdp.attributes
  - wirespeed.xdp.intent
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: wirespeed.xdp.nic_info
  - module: wirespeed.xdp.counters_info
"""

EXAMPLES = r"""
- name: Tune every igb NIC for dropping, and attach the scrubber that comes with the collection
  wirespeed.xdp.node:
    nics:
      - driver: igb
        pipeline: scrubber
    pipelines:
      - name: scrubber
        tables:
          deny_v4: [192.0.2.0/24, 198.51.100.7/32]

- name: Attach a program of one's own, without ever letting the carrier bounce, with more room in the receive ring
  wirespeed.xdp.node:
    nics:
      - name: enp1s0
        pipeline: edge
        mode: native
        max_disruption: reset
        tuning:
          rings: {rx: 2048}
    pipelines:
      - name: edge
        manifest: pipelines/edge.pipeline.yml
    profiles_path: [nic_profiles]

- name: Only tune
  wirespeed.xdp.node:
    nics:
      - pci: '0000:01:00.0'
        workload: stack
"""

RETURN = r"""
steps:
  description: The steps that were taken, or in check mode would be, in this order.
  returned: success
  type: list
  elements: dict
  sample:
    - target: enp1s0
      action: set
      resource: rings
      before: {rx: 256}
      after: {rx: 4096}
      why: bursts are longer than the default ring
      origin: igb.yml:31
      disruption: reset
      because:
deviations:
  description:
    - What was not as it should be, before the run. Steps that only serve another step are not among them.
  returned: success
  type: list
  elements: dict
  sample:
    - path: enp1s0.rings
      want: {rx: 4096}
      have: {rx: 256}
      reason: bursts are longer than the default ring
      disruption: reset
nics:
  description: One row for each NIC of O(nics), as it is after the run.
  returned: success
  type: list
  elements: dict
  sample:
    - name: enp1s0
      driver: igb
      firmware: 3.25, 0x800005d0
      profiles: [generic, igb]
      mode: native
      pipeline: scrubber
diff:
  description: The same as the steps, for C(--diff).
  returned: success
  type: dict
corrections:
  description: What an interrupted earlier run had left, and what was done about it.
  returned: when there was any
  type: list
  elements: str
outcome:
  description: Which steps were taken and undone.
  returned: failure in the middle of a run
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import engine


def main() -> None:
    module = AnsibleModule(argument_spec=_front.INTENT, supports_check_mode=True)
    _front.finish(
        module, lambda: engine.converge(_front.intent(module), _front.bundle(module), check=module.check_mode)
    )


if __name__ == "__main__":
    main()
