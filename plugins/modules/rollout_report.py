#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_report
short_description: Write down how far a rollout has come
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Makes a summary of all hosts of the play, also of those that no batch has come to yet, and writes it into a file on
    the control node, whole or not at all. Reaches no host. Part of the role P(wirespeed.xdp.rollout#role).
extends_documentation_fragment:
  - wirespeed.xdp.attributes
attributes:
  check_mode:
    support: full
    details:
      - Nothing is written.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  folder:
    description: The file is C(rollout.json) in this folder, which is made where it is missing.
    type: path
    required: true
  run:
    description: The rollout, with its C(id) and when it C(started).
    type: dict
    required: true
  committed:
    description:
      - When the documents were committed, in seconds since 1970. With V(0) it is when their files were last written.
    type: float
    default: 0.0
seealso:
  - module: wirespeed.xdp.rollout_result
  - module: wirespeed.xdp.node
"""

EXAMPLES = r"""
- name: Write down how far the fleet is
  wirespeed.xdp.rollout_report:
    folder: /srv/wirespeed-rollout
    run: {id: '2026-11-27T03:39:15Z', started: 1795750755.3}
  run_once: true
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /srv/wirespeed-rollout/rollout.json
summary:
  description: What is in it; C(docs/rollout.md) has the fields.
  returned: success
  type: dict
lines:
  description: The same for people, what went wrong first.
  returned: success
  type: list
  elements: str
  sample: ['changed: 3 (edge1, edge2, edge3)']
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """The action plugin of this name does it all, and never comes here."""
    AnsibleModule(
        argument_spec={
            "folder": {"type": "path", "required": True},
            "run": {"type": "dict", "required": True},
            "committed": {"type": "float", "default": 0.0},
        },
        supports_check_mode=True,
    ).fail_json(msg="Call this module by its full name, wirespeed.xdp.rollout_report.")


if __name__ == "__main__":
    main()
