#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: nic
short_description: Tune NICs, gather their tuning, or plan it for a captured host
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Sets what NICs are tuned to, and leaves their XDP programs as they are. Pipelines are the matter of
    M(wirespeed.xdp.node).
  - The NIC profiles know what each driver can hold, how it rounds, in which order it must be set and what that costs.
    All NICs are one transaction, with a journal; when a step fails, every step before it is undone.
  - Where a driver refuses a setting under an XDP program, a program that Wirespeed attached is detached for it and
    attached again after it, if O(config[].max_disruption) allows that. A program of another hand is never touched; the
    module fails and says whose it is.
  - With O(state=rendered) and O(state=parsed) no host is looked at, and no connection is made. The facts are in a file
    that was captured before, so that a change of a fleet can be reviewed on any machine that has Ansible.
extends_documentation_fragment:
  - wirespeed.xdp.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  config:
    description:
      - The NICs that this is about, each chosen by exactly one of O(config[].name), O(config[].driver), O(config[].mac)
        and O(config[].pci).
      - NICs that no entry names are left alone.
      - O(state=gathered) and O(state=parsed) tell of the NICs that are chosen here, or without it of all physical ones.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the network interface.
        type: str
      driver:
        description:
          - Name of the kernel driver. It chooses every physical NIC of that driver, or none where the node has none.
        type: str
      mac:
        description: The permanent MAC address.
        type: str
      pci:
        description: The PCI address, such as V(0000:01:00.0).
        type: str
      workload:
        description: What most packets meet. Profiles tune by it.
        type: str
        choices:
          drop: Most packets are dropped by the program.
          forward: Most packets are sent out again by the program.
          stack: Most packets go on to the network stack of the node.
        default: drop
      max_disruption:
        description:
          - The worst that traffic may feel while the node is changed. A change that costs more is refused with the
            reason, before anything is changed.
        type: str
        choices:
          none: Nothing at all.
          pause: Rings stand still for a moment.
          reset: Rings are created anew, packets in them are lost.
          bounce: The carrier goes down and up.
          gap: The XDP program is absent for a moment, packets pass unfiltered.
        default: gap
      profile:
        description: Name of the NIC profile to use instead of the one that matches the NIC.
        type: str
      tuning:
        description: The values, by setting and then by key, as the collection's C(docs/settings.md) lists them.
        type: dict
  state:
    description: What to do.
    type: str
    choices:
      merged: Set the keys that O(config[].tuning) names, and leave all others as they are.
      replaced:
        - Set the keys that O(config[].tuning) names, and all others that the profile tunes to the profile's value for
          O(config[].workload).
      rolled_back:
        - Bring the settings of all NICs back to O(version) of the node's tuning. What had been asked for by then is
          asked for again, with the profiles of then; settings that nothing had asked for get the values that they
          had. XDP hooks stay as they are. The next boot brings back what holds then.
        - Without O(version), to that before the last change. Where that was such a rollback already, nothing is done,
          so that a second run does not go forward again.
      gathered: Return what the NICs have in RV(gathered), and change nothing.
      rendered: Return the plan for O(config) and the captured facts, without any host.
      parsed: Return what RV(gathered) would be for the captured facts in RV(parsed), without any host.
    default: merged
  version:
    description:
      - The version that O(state=rolled_back) goes back to; RV(wirespeed.xdp.node#module:versions) tells them. Each run
        that asks for another tuning is one, V(0) is what there was before the first; the last 10 changes are kept.
    type: int
  render_as:
    description: The state whose plan O(state=rendered) returns.
    type: str
    choices: [merged, replaced]
    default: merged
  facts:
    description:
      - The file with the captured facts of one host, on the control node; for O(state=rendered) and O(state=parsed).
      - It is what C(wirespeed facts --json) prints, or the registered result of M(wirespeed.xdp.nic_info) as JSON. The
        playbook C(wirespeed.xdp.capture) writes one for each host.
      - A path that is not absolute is looked for beside the playbook, beside the inventory, and in the working
        folder, in this order.
    type: path
  running_config:
    description:
      - What is in such a file, instead of O(facts). A registered result of M(wirespeed.xdp.nic_info) is taken as it is.
    type: raw
  profiles_path:
    description:
      - Folders on the control node with NIC profiles of the site's own, which go before those of the collection;
        a later folder goes before an earlier one.
      - A path that is not absolute is looked for as O(facts) says.
    type: list
    elements: path
    default: []
  bundle:
    description:
      - Filled in by the action plugin on the control node, never by a playbook.
      - The NIC profiles, as JSON, compressed and in Base64.
    type: str
notes:
  - With O(state=rendered), what the plan says is true of the host as it was when its facts were captured.
seealso:
  - module: wirespeed.xdp.node
  - module: wirespeed.xdp.nic_info
"""

EXAMPLES = r"""
- name: Give every ice NIC longer receive rings, and change nothing else
  wirespeed.xdp.nic:
    config:
      - driver: ice
        tuning:
          rings: {rx: 4096}

- name: The profile's whole tuning, but never let the carrier bounce
  wirespeed.xdp.nic:
    state: replaced
    config:
      - name: enp1s0
        workload: forward
        max_disruption: reset

- name: Keep what a NIC has
  wirespeed.xdp.nic:
    state: gathered
    config:
      - name: enp1s0
  register: kept

- name: And bring it back later
  wirespeed.xdp.nic:
    config: "{{ kept.gathered }}"

- name: Review a change without reaching the host
  wirespeed.xdp.nic:
    state: rendered
    facts: facts/{{ inventory_hostname }}.json
    config:
      - driver: mlx5_core
        tuning:
          channels: {combined: 16}
  register: review

- name: Show it
  ansible.builtin.debug:
    msg: "{{ review.rendered + review.refusals | map(attribute='text') }}"

- name: What a captured host's NICs are tuned to
  wirespeed.xdp.nic:
    state: parsed
    facts: facts/edge1.json
"""

RETURN = r"""
steps:
  description:
    - The steps that were taken, or in check mode and with O(state=rendered) would be, in this order.
    - Each has C(target), C(action), C(resource), C(before), C(after), C(why), C(origin), C(disruption), C(because) and
      C(text), as those of M(wirespeed.xdp.node).
  returned: O(state) is merged, replaced or rendered
  type: list
  elements: dict
  sample:
    - target: enp1s0
      action: set
      resource: rings
      before: {rx: 2048}
      after: {rx: 4096}
      why: the intent asks for it
      origin: intent
      disruption: bounce
      because:
      text: "enp1s0: set rings: rx 2048 -> 4096 [bounce] - the intent asks for it (intent)"
deviations:
  description: What was not as it should be, as M(wirespeed.xdp.node) returns it.
  returned: O(state) is merged, replaced or rendered
  type: list
  elements: dict
nics:
  description: One row for each NIC, as M(wirespeed.xdp.node) returns it.
  returned: O(state) is merged or replaced
  type: list
  elements: dict
recovered:
  description: What was undone of an earlier run that had been killed.
  returned: O(state) is merged or replaced
  type: list
  elements: raw
  sample: []
before:
  description: What the NICs had before, in the shape of RV(gathered).
  returned: O(state) is merged or replaced
  type: list
  elements: dict
after:
  description: What the NICs have now, in the shape of RV(gathered).
  returned: O(state) is merged or replaced, and something was changed
  type: list
  elements: dict
gathered:
  description:
    - What each NIC has, in the shape of O(config). To ask for it again changes nothing.
    - Left out is what the driver does not let be changed, what it moves by itself at the moment, and what reads
      otherwise than it was set while an XDP program is attached.
  returned: O(state=gathered)
  type: list
  elements: dict
  sample:
    - name: enp1s0
      tuning:
        channels: {combined: 16}
        mtu: {mtu: 1500}
        rings: {rx: 4096, tx: 256}
        rss: {indirection: equal}
parsed:
  description: The same of the captured facts.
  returned: O(state=parsed)
  type: list
  elements: dict
rendered:
  description: The steps as lines for people.
  returned: O(state=rendered)
  type: list
  elements: str
  sample: ["enp1s0: set rings: rx 2048 -> 4096 [bounce] - the intent asks for it (intent)"]
refusals:
  description: What stands against the plan, of which then no part would be carried out.
  returned: O(state=rendered)
  type: list
  elements: dict
  contains:
    target:
      description: Name of the NIC.
      type: str
      sample: enp1s0
    resource:
      description: The setting, or the condition of the XDP hook.
      type: str
      sample: rings
    reason:
      description: What stands against it.
      type: str
    remedy:
      description: What to do about it.
      type: str
    text:
      description: All of it as one line.
      type: str
captured:
  description: The host that the facts are of, as it was when they were captured.
  returned: O(state=rendered)
  type: dict
  sample:
    hostname: edge1
    kernel: 6.12.57+deb13-amd64
    boot_id: 0d0b2a2e-6c5b-4e43-a2a1-6f0f3c1d7f57
diff:
  description: The steps and the values before and after, for C(--diff).
  returned: O(state) is merged, replaced or rendered
  type: dict
outcome:
  description: Which steps were taken and undone.
  returned: failure in the middle of a run
  type: dict
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import nic_verbs, tuning_engine


def main() -> None:
    module = AnsibleModule(argument_spec=_front.TUNING, supports_check_mode=True)
    _front.finish(module, lambda: _answer(module))


def _answer(module: AnsibleModule) -> Dict[str, Any]:
    """Of the states that need the host; the action plugin answers the others on the control node."""
    config = [_front.given(entry) for entry in module.params["config"]]
    bundle = _front.bundle(module)
    if module.params["state"] == "gathered":
        return nic_verbs.gather(config, bundle)
    if module.params["state"] == "rolled_back":
        return tuning_engine.rolled_back(module.params["version"], bundle, module.check_mode)
    return nic_verbs.change(config, bundle, check=module.check_mode, merge=module.params["state"] == "merged")


if __name__ == "__main__":
    main()
