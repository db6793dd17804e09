#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: config_info
short_description: Tell which configuration a pipeline has in the kernel, and what others changed of it
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Reads the tables of a pipeline back from the kernel, finds the delivered version that they are, and tells what
    differs from it all the same, because someone else wrote it.
  - M(wirespeed.xdp.config) with the same document puts back exactly those rows.
extends_documentation_fragment:
  - wirespeed.xdp.attributes
  - wirespeed.xdp.attributes.info
options:
  pipeline:
    description: The pipeline's name, as in its manifest. It runs on the node.
    type: str
    required: true
  tables:
    description: Names of tables whose rows are to be told too.
    type: list
    elements: str
    default: []
  limit:
    description: How many rows of each table are told at most, and of each kind of change by others.
    type: int
    default: 100
seealso:
  - module: wirespeed.xdp.config
  - module: wirespeed.xdp.pipeline_info
"""

EXAMPLES = r"""
- name: Look at the configuration
  wirespeed.xdp.config_info:
    pipeline: scrubber
  register: found

- name: Fail where someone else has written into it
  ansible.builtin.assert:
    that: found.drift == {}

- name: Look at the rows of one table
  wirespeed.xdp.config_info:
    pipeline: scrubber
    tables: [deny_v4]
    limit: 1000
"""

RETURN = r"""
pipeline:
  description: The pipeline's name.
  returned: success
  type: str
  sample: scrubber
generation:
  description: The generation that packets meet.
  returned: success
  type: str
  sample: b3f5c2ad9c10
schema:
  description: The version of tables and columns that the pipeline knows.
  returned: success
  type: int
  sample: 1
version:
  description: The version that the kernel's rows are; 0 where none was delivered.
  returned: success
  type: int
  sample: 4
digest:
  description: The SHA-256 of that version's rows; empty where none was delivered.
  returned: success
  type: str
drift:
  description: What others did to the rows since that version was delivered, by table. Empty where nobody did.
  returned: success
  type: dict
  sample:
    deny_v4:
      added: 1
      changed: 0
      removed: 0
      rows: {added: [203.0.113.9/32], changed: [], removed: []}
rows:
  description: How many rows are in the kernel, by table.
  returned: success
  type: dict
  sample: {deny_v4: 2, deny_v6: 0}
tables:
  description: The rows of O(tables), in the table's order.
  returned: success
  type: dict
  sample:
    deny_v4: [192.0.2.0/24, 198.51.100.7/32]
deliveries:
  description: What was delivered, newest first, at most 50.
  returned: success
  type: list
  elements: dict
  contains:
    version:
      description: The version.
      type: int
      sample: 4
    digest:
      description: The SHA-256 of its rows.
      type: str
    at:
      description: When, in seconds since 1970.
      type: float
      sample: 1767225600.0
    by:
      description: The user who delivered it.
      type: str
      sample: root
    strategy:
      description: How.
      type: str
      sample: map_swap
    why:
      description: Why in this way.
      type: str
    operations:
      description: How many elements of maps were written or deleted.
      type: int
      sample: 4
    rows:
      description: How many rows there are in all tables.
      type: int
      sample: 2
    rollback_to:
      description: The version that it brought back, where it was a rollback.
      type: int
    kept:
      description: Whether its rows are kept, so that a rollback can go to it.
      type: bool
      sample: true
"""

from itertools import islice
from typing import Any, Dict, List, Mapping

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import config_engine, config_show
from ..module_utils.wirespeed.errors import BadInput, Place
from ..module_utils.wirespeed.model.intent import unknown_word

PLACE = Place("wirespeed.xdp.config_info")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "pipeline": {"type": "str", "required": True},
            "tables": {"type": "list", "elements": "str", "default": []},
            "limit": {"type": "int", "default": 100},
        },
        supports_check_mode=True,
    )
    _front.finish(module, lambda: _answer(module.params))


def _answer(asked: Mapping[str, Any]) -> Dict[str, Any]:
    if asked["limit"] < 0:
        raise BadInput(PLACE, "limit", f"is {asked['limit']}.", "Give a number of rows, from 0.")
    found = config_engine.show(asked["pipeline"])
    for name in asked["tables"]:
        if name not in found.tables:
            raise unknown_word(PLACE, "tables", name, list(found.tables))
    return {
        **config_show.standing(found, asked["limit"]),
        "rows": {name: packed.count for name, packed in found.tables.items()},
        "tables": {name: _first(found, name, asked["limit"]) for name in asked["tables"]},
        "deliveries": config_show.told(config_engine.history(asked["pipeline"]))["deliveries"],
        "changed": False,
    }


def _first(found: config_engine.Shown, table: str, limit: int) -> List[Any]:
    return list(islice(found.codecs[table].unpack(found.tables[table]), limit))


if __name__ == "__main__":
    main()
