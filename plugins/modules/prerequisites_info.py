#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: prerequisites_info
short_description: Tell what a node lacks for the other modules
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Asks the Python that modules run on what it can import, the dynamic linker whether it finds C(libbpf.so.1), and the
    kernel whether the BPF file system is mounted and its BPF compiler is on.
  - Needs none of what it looks for, and no root. The role P(wirespeed.xdp.prerequisites#role) installs what is missing.
extends_documentation_fragment:
  - wirespeed.xdp.attributes
  - wirespeed.xdp.attributes.info
options:
  bpffs:
    description: Where the BPF file system is mounted.
    type: path
    default: /sys/fs/bpf
seealso:
  - module: wirespeed.xdp.node
"""

EXAMPLES = r"""
- name: Look at what the node lacks
  wirespeed.xdp.prerequisites_info:
  register: lacks

- name: Say what is missing
  ansible.builtin.debug:
    msg: "{{ lacks.missing | join(', ') }}"
  when: lacks.missing | length > 0
"""

RETURN = r"""
missing:
  description: What this Python cannot import, or the dynamic linker cannot load (V(libbpf)).
  returned: success
  type: list
  elements: str
  sample: [pyroute2, libbpf]
bpffs:
  description: Whether a BPF file system is mounted at O(bpffs).
  returned: success
  type: bool
  sample: true
jit:
  description: What C(net.core.bpf_jit_enable) is; null where it cannot be read, as in a network namespace.
  returned: success
  type: int
  sample: 1
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _readiness


def main() -> None:
    spec = {"bpffs": {"type": "path", "default": "/sys/fs/bpf"}}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    module.exit_json(changed=False, **_readiness.look(module.params["bpffs"]).plain())


if __name__ == "__main__":
    main()
