#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nic_info
short_description: Find the NICs of a node, their settings, their XDP state and the profile that matches each
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Finds every physical NIC of the node, and virtual ones when they are named.
  - Tells driver, firmware and bus, the settings that matter to XDP (features, MTU, channels, rings, RSS), the program
    on the XDP hook and how it is held there, and the NIC profiles that match.
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
  - module: wirespeed.xdp.node
"""

EXAMPLES = r"""
- name: Look at all physical NICs
  wirespeed.xdp.nic_info:
  register: found

- name: Say what each of them is
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.driver }}, profile {{ item.profiles | join(' over ') }}"
  loop: "{{ found.nics }}"
  loop_control:
    label: "{{ item.name }}"

- name: Look at one virtual interface, with profiles of the site's own
  wirespeed.xdp.nic_info:
    names: [veth0]
    profiles_path: [nic_profiles]
"""

RETURN = r"""
nics:
  description: One entry for each NIC, in the order of their names.
  returned: success
  type: list
  elements: dict
  sample:
    - name: enp1s0
      ifindex: 2
      driver: igb
      firmware: 3.25, 0x800005d0
      kind: pci
      mac: 52:54:00:00:01:01
      settings:
        rings:
          values: {rx: 256, tx: 256}
          maxima: {rx: 4096, tx: 4096}
      xdp:
      profiles: [generic, igb]
      findings: []
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import engine


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "default": []},
            **_front.PROFILES,
            **_front.BUNDLE,
        },
        supports_check_mode=True,
    )
    _front.finish(module, lambda: engine.facts(module.params["names"], _front.bundle(module)))


if __name__ == "__main__":
    main()
