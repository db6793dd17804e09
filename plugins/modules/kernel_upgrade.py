#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: kernel_upgrade
short_description: Foretell what another kernel changes for a node, and compare it with what came
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - With O(state=foretold), before the reboot, compares the running kernel with one that is installed. It reads the
    modules of both, and resolves the NIC profiles and the intent for both.
  - With O(state=compared), after the reboot, says where the node differs from what was foretold.
  - Neither changes any NIC or pipeline. What was foretold is kept in a file on the node, over the reboot.
  - The role P(wirespeed.xdp.kernel_upgrade_check#role) does both, and converges the node in between.
extends_documentation_fragment:
  - wirespeed.xdp.attributes
  - wirespeed.xdp.intent
attributes:
  check_mode:
    support: full
    details:
      - In check mode the file is not written.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  state:
    description: Which of the two.
    type: str
    choices:
      foretold: What the kernel O(to) will change.
      compared: What is otherwise than it was foretold for the kernel that runs now.
    default: foretold
  to:
    description:
      - The kernel that the node is to boot, as C(uname -r) will tell it, or the beginning of that (V(6.12)). Its
        package must be installed.
      - Without it, the newest that is installed.
      - Where it runs already, nothing is foretold, and the file stays as it is.
    type: str
    default: ''
  record:
    description: Whether to keep what was foretold on the node, for O(state=compared).
    type: bool
    default: true
seealso:
  - module: wirespeed.xdp.node
"""

EXAMPLES = r"""
- name: Say what the newest kernel that is installed will change
  wirespeed.xdp.kernel_upgrade:
    nics:
      - driver: igb
        pipeline: scrubber
    pipelines:
      - name: scrubber
  register: upgrade

- name: Stop where something breaks
  ansible.builtin.assert:
    that: upgrade.severity != 'breaks'
    fail_msg: "{{ upgrade.text | join('\n') }}"

- name: After the reboot, say what is otherwise than foretold
  wirespeed.xdp.kernel_upgrade:
    state: compared
    nics:
      - driver: igb
        pipeline: scrubber
    pipelines:
      - name: scrubber
"""

RETURN = r"""
kernel:
  description: The kernel that runs.
  returned: success
  type: str
  sample: 6.1.0-56-amd64
target:
  description: The kernel that it is about.
  returned: with O(state=foretold)
  type: str
  sample: 6.12.117+deb12-amd64
phase:
  description: V(before) or V(after) the boot into C(target).
  returned: with O(state=foretold)
  type: str
  sample: before
severity:
  description:
    - The worst of C(changes).
    - V(breaks), the intent cannot be reached any more, or a NIC is not there. V(changes), the node will behave, cost or
      count otherwise. V(informs), nothing that the intent or a profile makes use of. V(none) where there is nothing.
  returned: with O(state=foretold)
  type: str
  sample: changes
changes:
  description: What changes; with O(state=compared), what was foretold.
  returned: success
  type: list
  elements: dict
  contains:
    subject:
      description: The NIC, or V(node).
      type: str
      sample: enp3s0
    aspect:
      description:
        - One of V(kernel), V(driver), V(plan), V(xdp), V(condition), V(cost), V(tuning), V(private flag), V(counter),
          V(module parameter), V(firmware), V(profile).
      type: str
      sample: xdp
    key:
      description: What of it.
      type: str
      sample: attach
    severity:
      description: As C(severity).
      type: str
      sample: changes
    before:
      description: With the running kernel.
      type: raw
      sample: generic
    after:
      description: With the other one.
      type: raw
      sample: native
    why:
      description: What it means, or where it stands.
      type: str
      sample: vmxnet3 has it since Linux 6.6
steps:
  description: What a run would do to pipelines and hooks after the boot, as the steps of M(wirespeed.xdp.node).
  returned: with O(state=foretold)
  type: list
  elements: dict
refusals:
  description: What would stand against that run.
  returned: with O(state=foretold)
  type: list
  elements: dict
notes:
  description: What could not be read, so that it was not compared.
  returned: with O(state=foretold)
  type: list
  elements: str
foretold:
  description: The kernel that ran when it was foretold; empty where nothing was foretold for the one that runs now.
  returned: with O(state=compared)
  type: str
  sample: 6.1.0-56-amd64
differences:
  description: What is otherwise than foretold, each with C(nic), C(key), C(foretold) and C(real).
  returned: with O(state=compared)
  type: list
  elements: dict
  sample: []
untold:
  description:
    - Values that could not be foretold, because the interface was down then or its kernel has no such setting. In the
      form of C(differences), of which they are none.
  returned: with O(state=compared)
  type: list
  elements: dict
  sample: []
left:
  description: The steps that a run of M(wirespeed.xdp.node) would take now.
  returned: with O(state=compared)
  type: list
  elements: dict
  sample: []
text:
  description: All of it as lines for people.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import upgrade_engine
from ..module_utils.wirespeed.upgrade import text


def main() -> None:
    module = AnsibleModule(argument_spec=_front.KERNEL_UPGRADE, supports_check_mode=True)

    def call() -> dict:
        given = (_front.intent(module.params), _front.bundle(module), "intent")
        if module.params["state"] == "compared":
            data = upgrade_engine.compared(given)
            return {**data, "text": text.compared(data)}
        keep = upgrade_engine.PRETEND if module.check_mode else upgrade_engine.KEEP
        record = keep if module.params["record"] else upgrade_engine.LEAVE
        data = upgrade_engine.foretell(given, module.params["to"], record)
        return {**data, "text": text.foretold(data)}

    _front.finish(module, call)


if __name__ == "__main__":
    main()
