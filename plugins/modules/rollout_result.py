#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_result
short_description: Write down what became of a host in a rollout
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Makes a record out of the results of a host's tasks, and writes it into a file on the control node, whole or not at
    all. Reaches no host. Part of the role P(wirespeed.xdp.rollout#role).
  - What the host ran before the change is kept over a second run that finds it there already, so that
    P(wirespeed.xdp.rollback#role) knows where to go back to.
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
    description: The file is C(hosts/HOST.json) in this folder, which is made where it is missing.
    type: path
    required: true
  run:
    description: The rollout; its C(id) is in the record.
    type: dict
    required: true
  plan:
    description: What M(wirespeed.xdp.node) returned in check mode, before the first change of the rollout.
    type: dict
    required: true
  change:
    description: What M(wirespeed.xdp.node) returned. Without it the change is about to begin.
    type: dict
  deliveries:
    description: What M(wirespeed.xdp.config) returned, one item of a loop for each document.
    type: list
    elements: dict
    default: []
  taken_back:
    description:
      - What the tasks returned that took the rest back where a part had failed; see RV(partial).
    type: list
    elements: dict
    default: []
seealso:
  - module: wirespeed.xdp.rollout_report
  - module: wirespeed.xdp.node
"""

EXAMPLES = r"""
- name: Write down what became of the host
  wirespeed.xdp.rollout_result:
    folder: /srv/wirespeed-rollout
    run: {id: '2026-11-27T03:39:15Z'}
    plan: "{{ rollout_plan }}"
    change: "{{ rollout_change }}"
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /srv/wirespeed-rollout/hosts/edge1.json
record:
  description: What is in it; C(docs/rollout.md) has the fields.
  returned: success
  type: dict
  sample: {schema: 1, host: edge1, state: changed, reached: true, message: ''}
partial:
  description: Whether a part of the change is on the host although another has failed, and nothing was taken back yet.
  returned: success
  type: bool
  sample: false
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """The action plugin of this name does it all, and never comes here."""
    AnsibleModule(
        argument_spec={
            "folder": {"type": "path", "required": True},
            "run": {"type": "dict", "required": True},
            "plan": {"type": "dict", "required": True},
            "change": {"type": "dict"},
            "deliveries": {"type": "list", "elements": "dict", "default": []},
            "taken_back": {"type": "list", "elements": "dict", "default": []},
        },
        supports_check_mode=True,
    ).fail_json(msg="Call this module by its full name, wirespeed.xdp.rollout_result.")


if __name__ == "__main__":
    main()
