#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

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
  - A program on an XDP hook that another loader put there is not touched, unless O(nics[].foreign=adopt); the module
    fails and says whose it is.
  - With O(soak) a change that does not prove itself on the node is undone too, in the same call.
  - With O(facts) no host is looked at and none is changed; the plan is that for the host as it was captured.
extends_documentation_fragment:
  - wirespeed.xdp.attributes
  - wirespeed.xdp.intent
  - wirespeed.xdp.soak
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  facts:
    description:
      - The file with the captured facts of one host, on the control node. What is returned is the plan for that host as
        it was then, without a connection to it; C(changed) is never true.
      - It is what C(wirespeed facts --json) prints, or the registered result of M(wirespeed.xdp.nic_info) as JSON. The
        playbook C(wirespeed.xdp.capture) writes one for each host.
      - A path that is not absolute is looked for as O(pipelines[].manifest) says.
    type: path
  when_lacking:
    description:
      - What is done where the node lacks a library, the BPF file system or the kernel's BPF compiler.
      - With V(fail) the module fails where it needs what is not there, and does without the compiler.
      - With V(tell) it looks at nothing else and changes nothing, and returns RV(lacking), so that a playbook gives the
        node what it lacks and calls the module again. A node that lacks nothing is reached once.
    type: str
    choices: [fail, tell]
    default: fail
seealso:
  - module: wirespeed.xdp.prerequisites_info
  - module: wirespeed.xdp.nic
  - module: wirespeed.xdp.pipeline
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

- name: Take over the NIC from a program that someone attached with another tool
  wirespeed.xdp.node:
    nics:
      - name: enp1s0
        pipeline: scrubber
        foreign: adopt
    pipelines:
      - name: scrubber
        attach: auto

- name: Keep the change only if the node still filters as before, and still reaches its gateway, for half a minute
  wirespeed.xdp.node:
    nics:
      - driver: igb
        pipeline: scrubber
    pipelines:
      - name: scrubber
    soak:
      seconds: 30
      max_change: 0.05
      verdicts:
        malformed: {max_share: 0.02}
      reach: ['192.0.2.1:179']

- name: Review without reaching the host
  wirespeed.xdp.node:
    facts: facts/{{ inventory_hostname }}.json
    nics:
      - driver: ice
        pipeline: scrubber
    pipelines:
      - name: scrubber

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
  contains:
    target:
      description: Name of the NIC or of the pipeline.
      type: str
      sample: enp1s0
    action:
      description:
        - One of V(set), V(await), V(load), V(unload), V(test), V(configure), V(watch), V(publish), V(carry), V(root),
          V(attach), V(swap), V(adopt), V(detach).
      type: str
      sample: set
    resource:
      description: What it is done to.
      type: str
      sample: rings
    before:
      description: The values before, those that change.
      type: dict
      sample: {rx: 256}
    after:
      description: The values after.
      type: dict
      sample: {rx: 4096}
    why:
      description: The reason that the profile or the playbook gives.
      type: str
      sample: bursts are longer than the default ring
    origin:
      description: File and line that ask for it, or V(intent) for the task's own options.
      type: str
      sample: igb.yml:31
    disruption:
      description: What traffic feels, as the choices of O(nics[].max_disruption).
      type: str
      sample: reset
    because:
      description: The operation that this step only serves, if it repairs nothing by itself.
      type: str
      sample: channels
    text:
      description: All of it as one line.
      type: str
      sample: "enp1s0: set rings: rx 256 -> 4096 [reset] - bursts are longer than the default ring (igb.yml:31)"
deviations:
  description:
    - What was not as it should be before the run. Steps that only serve another step are not among them.
    - In check mode also the rows that somebody changed since a document was delivered; M(wirespeed.xdp.config) repairs
      those.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description:
        - V(program) for the XDP hook, V(code) for what is loaded, V(config) for rows of tables, else the setting.
      type: str
      sample: rings
    path:
      description: What deviates.
      type: str
      sample: enp1s0.rings.rx
    target:
      description: Name of the NIC or of the pipeline.
      type: str
      sample: enp1s0
    want:
      description: The value that it should have.
      type: raw
      sample: 4096
    have:
      description: The value that it had.
      type: raw
      sample: 256
    why:
      description: The reason that the profile or the playbook gives.
      type: str
      sample: bursts are longer than the default ring
    origin:
      description: File and line that ask for it, or V(intent) for the task's own options.
      type: str
      sample: igb.yml:31
    disruption:
      description:
        - What traffic feels from the repair.
        - Null where no step repairs it; RV(deviations[].want) then says what to do.
      type: str
      sample: reset
    unsupported:
      description: Says that this NIC, driver or kernel never could be so.
      returned: where that is so
      type: bool
      sample: true
    also:
      description: Who else on the host sets this value, and to what, with file and line.
      returned: where another manager sets it otherwise
      type: list
      elements: str
      sample: ["tuned sets 1024 (/etc/tuned/fast/tuned.conf:12, [net] ring)"]
nics:
  description: One row for each NIC of O(nics), as it is after the run.
  returned: success, without O(facts)
  type: list
  elements: dict
  sample:
    - name: enp1s0
      driver: igb
      firmware: 3.25, 0x800005d0
      kernel: 6.12.57+deb13-amd64
      profile: [generic, igb]
      pipeline: scrubber
      carrier: true
      carrier_changes: 2
      disruption: reset
hostname:
  description: What the host calls itself.
  returned: success, without O(facts)
  type: str
  sample: edge1
kernel:
  description: Its kernel.
  returned: success, without O(facts)
  type: str
  sample: 6.12.57+deb13-amd64
pipelines:
  description: What is to be live of each of O(pipelines), and what is.
  returned: success, without O(facts)
  type: list
  elements: dict
  sample:
    - name: scrubber
      object_hash: d0ec16d511c4310d20610ce93d1671b9101184f27a40180a06a6388d7af55bd8
      generation: d0ec16d511c4
      running_object_hash: d0ec16d511c4310d20610ce93d1671b9101184f27a40180a06a6388d7af55bd8
      running_generation: d0ec16d511c4
      config_version: 14
recovered:
  description: What was undone of an earlier run that had been killed.
  returned: success, without O(facts)
  type: list
  elements: raw
  sample: []
refusals:
  description:
    - What stands against the plan, of which then no part would be carried out. Without O(facts) the module fails of it.
    - Each has C(target), C(resource), C(reason), C(remedy) and C(text).
  returned: with O(facts)
  type: list
  elements: dict
captured:
  description: The host that the facts are of, as it was when they were captured.
  returned: with O(facts)
  type: dict
  sample:
    hostname: edge1
    kernel: 6.12.57+deb13-amd64
    boot_id: 0d0b2a2e-6c5b-4e43-a2a1-6f0f3c1d7f57
diff:
  description: The steps and the values before and after, for C(--diff).
  returned: success
  type: dict
versions:
  description:
    - The published C(generation) of each pipeline and its C(configuration) version, C(before) the run and C(after) it;
      in check mode only before. Where O(wirespeed.xdp.pipeline#module:generation) and
      O(wirespeed.xdp.config#module:version) can go back to.
  returned: success, without O(facts)
  type: dict
  sample:
    before: {pipelines: {scrubber: {generation: 1f0c2a90b1d3, configuration: 4}}}
    after: {pipelines: {scrubber: {generation: 77d1c0b2e4aa, configuration: 4}}}
soak:
  description: What was counted before and after the change, by pipeline; the name is empty for NICs without one.
  returned: with O(soak), where something was changed
  type: dict
lacking:
  description:
    - What the node lacks; nothing else is returned then. Its keys are the return values of
      M(wirespeed.xdp.prerequisites_info).
  returned: with O(when_lacking=tell), where the node lacks something
  type: dict
  sample: {missing: [pyroute2], bpffs: true, jit: 1}
outcome:
  description: Which steps were taken and undone.
  returned: failure in the middle of a run, or after O(soak)
  type: dict
unsupported:
  description: Says that what is asked for, this host, NIC, driver or kernel cannot have.
  returned: failure for that reason
  type: bool
  sample: true
"""

import sys
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front, _readiness
from ..module_utils.wirespeed import drift_engine, engine
from ..module_utils.wirespeed.pipeline.pins import Paths


def main() -> None:
    module = AnsibleModule(argument_spec=_front.NODE, supports_check_mode=True)
    if module.params["when_lacking"] == "tell":
        ready = _readiness.look(str(Paths.from_environment().bpffs))
        if ready.lacking:
            module.exit_json(changed=False, lacking=ready.plain())
    _front.finish(module, lambda: _answer(module))


def _answer(module: AnsibleModule) -> Dict[str, Any]:
    asked, bundle = module.params, _front.bundle(module)
    intent = _front.intent(asked)
    if module.check_mode:
        return drift_engine.look(intent, bundle)
    # Ansible reads this process's standard output; when it is gone, nobody hears how the change went.
    return engine.converge(intent, bundle, False, soak=asked["soak"], listener=sys.stdout.fileno())


if __name__ == "__main__":
    main()
