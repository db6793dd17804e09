#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: config_info
short_description: Read the live configuration of an XDP pipeline back from the kernel, with its versions and its drift
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Reads the tables of a pipeline that runs on the node, tells which version was delivered, and which rows are not as
    it has them because somebody else wrote to the maps.
extends_documentation_fragment:
  - wirespeed.xdp.attributes
  - wirespeed.xdp.attributes.info
options:
  pipeline:
    description: The pipeline's name.
    type: str
    required: true
  tables:
    description: Return the rows of these tables.
    type: list
    elements: str
    default: []
  limit:
    description: The most rows that are returned of each of O(tables).
    type: int
    default: 1000
seealso:
  - module: wirespeed.xdp.config
"""

EXAMPLES = r"""
- name: Look which version is live
  wirespeed.xdp.config_info:
    pipeline: scrubber
  register: found

- name: Fail on rows that nobody has delivered
  ansible.builtin.assert:
    that: found.drift == {}

- name: Look at the policies themselves
  wirespeed.xdp.config_info:
    pipeline: scrubber
    tables: [policies]
"""

RETURN = r"""
version:
  description: The version that was delivered last; 0 where none was.
  returned: success
  type: int
  sample: 13
digest:
  description: The SHA-256 of its rows.
  returned: success
  type: str
generation:
  description: The generation of the pipeline that packets meet.
  returned: success
  type: str
  sample: b3f5c2ad9c10
rows:
  description: How many rows are in the kernel, by table.
  returned: success
  type: dict
  sample: {"deny_v4": 2}
drift:
  description:
    - What a delivery of the same version would change, by table; empty where all is as delivered. C(added),
      C(changed) and C(removed) count, and C(rows) has the first 50 of each.
  returned: success
  type: dict
  sample: {}
tables:
  description: The rows of the tables that were asked for, in the table's order.
  returned: success
  type: dict
  sample: {"deny_v4": ["192.0.2.0/24"]}
deliveries:
  description:
    - What was delivered, newest first. C(kept) tells whether a rollback can go to it.
  returned: success
  type: list
  elements: dict
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import config_engine, config_told


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "pipeline": {"type": "str", "required": True},
            "tables": {"type": "list", "elements": "str", "default": []},
            "limit": {"type": "int", "default": 1000},
        },
        supports_check_mode=True,
    )
    _front.finish(module, lambda: _found(module.params))


def _found(asked: Dict[str, Any]) -> Dict[str, Any]:
    found = config_engine.show(asked["pipeline"])
    told = config_told.standing(found)
    deliveries = config_told.history(config_engine.history(asked["pipeline"]))["deliveries"]
    rows = config_told.rows_of(found, asked["tables"], max(0, asked["limit"]))
    return {**told, "tables": rows, "deliveries": deliveries, "changed": False}


if __name__ == "__main__":
    main()
