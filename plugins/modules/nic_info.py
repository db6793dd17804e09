#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: nic_info
short_description: Find the NICs of a node, their settings, their XDP state and the profile that matches each
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Finds every physical NIC of the node, and virtual ones when they are named.
  - Tells driver, firmware and bus, the settings that matter to XDP (queues, rings, RSS, coalescing, offloads,
    interrupts and others), the program on the XDP hook and how it is held there, and the NIC profiles that match.
  - Tells also which values other managers of the host (tuned, NetworkManager, systemd, irqbalance and others) set on
    each NIC, with file and line.
extends_documentation_fragment:
  - wirespeed.xdp.attributes
  - wirespeed.xdp.attributes.info
options:
  names:
    description:
      - Names of network interfaces.
      - Virtual ones (such as veth) are looked at only when named. Without names, all physical NICs.
    type: list
    elements: str
    default: []
  firmware:
    description:
      - Also ask the vendor's tool (C(mstconfig) of the Debian package C(mstflint)) for the firmware settings of each
        NIC that has one. A card takes up to 20 seconds to tell all of them.
      - Nothing is changed, and no device is reset.
    type: bool
    default: false
  profiles_path:
    description:
      - Folders on the control node with NIC profiles of the site's own, which go before those of the collection;
        a later folder goes before an earlier one.
      - A path that is not absolute is looked for beside the playbook, beside the inventory, and in the working
        folder, in this order.
    type: list
    elements: path
    default: []
  bundle:
    description:
      - Filled in by the action plugin on the control node, never by a playbook.
      - The NIC profiles, as JSON, compressed and in Base64.
    type: str
seealso:
  - module: wirespeed.xdp.nic
  - module: wirespeed.xdp.node
"""

EXAMPLES = r"""
- name: Look at all physical NICs
  wirespeed.xdp.nic_info:
  register: found

- name: Say what each of them is
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.driver }}, profiles {{ item.profile | join(', then ') }}"
  loop: "{{ found.nics.values() }}"
  loop_control:
    label: "{{ item.name }}"

- name: Look at one virtual interface, with profiles of the site's own
  wirespeed.xdp.nic_info:
    names: [veth0]
    profiles_path: [nic_profiles]
"""

RETURN = r"""
nics:
  description: What was found, by the name of the NIC.
  returned: success
  type: dict
  sample:
    enp1s0:
      name: enp1s0
      ifindex: 2
      driver: igb
      firmware: 3.25, 0x800005d0
      kind: pci
      mac: 52:54:00:00:01:01
      numa_node: 0
      settings:
        rings:
          values: {rx: 256, tx: 256}
          maxima: {rx: 4096, tx: 4096}
      unsupported: {}
      claims:
        - manager: tuned
          file: /etc/tuned/fast/tuned.conf
          line: 12
          option: '[net] ring'
          setting: rings
          key: rx
          value: 1024
          active: true
          made_by: ''
      xdp:
      profile: [generic, igb]
      findings: []
facts_version:
  description:
    - The version of what is returned here. A file with it can be planned for without the host, also by later versions
      of the collection; see O(wirespeed.xdp.nic#module:facts).
  returned: success
  type: int
  sample: 1
kernel:
  description: The kernel that runs.
  returned: success
  type: dict
  sample:
    release: 6.12.57+deb13-amd64
    version: [6, 12]
cpus:
  description: How many CPUs are possible, which is what drivers size their XDP queues by.
  returned: success
  type: int
  sample: 8
libbpf:
  description: The version of libbpf on the node.
  returned: success
  type: str
  sample: "1.1"
findings:
  description: What stands in the way of all its NICs, such as a power-saving governor. Told, never changed.
  returned: success
  type: list
  elements: str
  sample: []
notes:
  description: What the user should know about the node.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import engine


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "default": []},
            "firmware": {"type": "bool", "default": False},
            **_front.PROFILES,
            **_front.BUNDLE,
        },
        supports_check_mode=True,
    )
    asked = module.params
    _front.finish(module, lambda: engine.facts(asked["names"], _front.bundle(module), asked["firmware"]))


if __name__ == "__main__":
    main()
