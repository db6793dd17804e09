#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: config
short_description: Deliver a configuration document to an XDP pipeline, whole or not at all
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Makes a document the live configuration of a pipeline that runs on the node. The document is checked and compiled on
    the control node, once for all hosts of a play; each node checks that it fits what runs there, compares it with what
    is in the kernel, and writes what differs.
  - When anything is wrong, nothing is changed. When a write fails, everything before it is undone.
  - Rows that somebody has changed in the kernel are put back.
  - A pipeline whose entry in M(wirespeed.xdp.node) or M(wirespeed.xdp.pipeline) has C(tables) is configured by that,
    and refused here.
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
  pipeline:
    description: The pipeline's name, as in its manifest.
    type: str
    required: true
  state:
    description: What to do.
    type: str
    choices:
      delivered: The document's rows are live.
      rolled_back:
        - The rows of an earlier version are live again, as a new version. Where the last delivery was a rollback
          already and O(version) is not given, nothing is done.
    default: delivered
  document:
    description:
      - The document, or a bundle that C(wirespeed config compile) made of it, on the control node.
      - A path that is not absolute is looked for beside the playbook, beside the inventory, and in the working folder,
        in this order. Files that a document names are relative to it.
    type: path
  tables:
    description: The rows by table, in place of O(document). A row is a text or a mapping, as in a document.
    type: dict
  schema:
    description: The schema version that O(tables) are written in; 1 when left out.
    type: int
  manifest:
    description:
      - Where the pipeline's manifest is, on the control node, for O(state=delivered); see
        O(wirespeed.xdp.pipeline#module:manifest). Without this option, O(pipeline) is one that comes with the
        collection.
    type: str
  strategy:
    description: How the rows get to the kernel.
    type: str
    choices:
      auto: Whichever is best for this difference and allowed by the manifest.
      entry: Row by row where packets read them; a packet may see rows of both versions.
      map_swap: Into the idle side of the tables, then all at once; for pipelines whose tables have two sides.
      program_swap: Into another generation of the pipeline, then published.
    default: auto
  expected_version:
    description:
      - Fail unless this version is live; V(0) where none was delivered. Nothing can then be overwritten unseen.
    type: int
  version:
    description: The version that O(state=rolled_back) brings back; without it, the last one with other rows.
    type: int
  bundle:
    description: Filled in by the action plugin on the control node, never by a playbook.
    type: str
  bundle_file:
    description: Filled in by the action plugin on the control node, never by a playbook.
    type: path
seealso:
  - module: wirespeed.xdp.config_info
  - module: wirespeed.xdp.pipeline
"""

EXAMPLES = r"""
- name: Deliver the policies of the scrubber
  wirespeed.xdp.config:
    pipeline: scrubber
    document: scrubber.config.yml

- name: Deny one prefix, and nothing else
  wirespeed.xdp.config:
    pipeline: scrubber
    tables:
      deny_v4: [192.0.2.0/24]

- name: Deliver only if nobody else has meanwhile
  wirespeed.xdp.config:
    pipeline: scrubber
    document: scrubber.config.yml
    expected_version: 12

- name: Go back
  wirespeed.xdp.config:
    pipeline: scrubber
    state: rolled_back
"""

RETURN = r"""
version:
  description: The version that is live after it.
  returned: success
  type: int
  sample: 13
before:
  description: The version that was live before; 0 where none was delivered.
  returned: success
  type: int
  sample: 12
digest:
  description: The SHA-256 of the rows.
  returned: success
  type: str
strategy:
  description: How they were delivered; empty where nothing was to be done.
  returned: success
  type: str
  sample: map_swap
why:
  description: Why in this way.
  returned: success
  type: str
operations:
  description: How many elements of maps were written or deleted.
  returned: success
  type: int
  sample: 10
tables:
  description: How many rows were C(added), C(changed) and C(removed), by table.
  returned: success
  type: dict
  sample: {"deny_v4": {"added": 1, "changed": 0, "removed": 0}}
rows:
  description: The same with the first 50 rows of each kind. With O(state=delivered).
  returned: success
  type: dict
steps:
  description: The steps that were taken, as M(wirespeed.xdp.node) returns them.
  returned: success
  type: list
  elements: dict
  sample: []
recovered:
  description: What was undone of an earlier run that had been killed.
  returned: success
  type: list
  elements: raw
  sample: []
diff:
  description: The rows that differ, before and after, for C(--diff).
  returned: success
  type: dict
outcome:
  description: Which steps were taken and undone.
  returned: failure in the middle of a run
  type: dict
"""

from pathlib import Path
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import config_parcel
from ..module_utils.wirespeed.config.strategy import Strategy


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "pipeline": {"type": "str", "required": True},
            "state": {"type": "str", "choices": list(config_parcel.STATES), "default": config_parcel.STATES[0]},
            "document": {"type": "path"},
            "tables": {"type": "dict"},
            "schema": {"type": "int"},
            "manifest": {"type": "str"},
            "strategy": {"type": "str", "choices": [each.value for each in Strategy], "default": Strategy.AUTO.value},
            "expected_version": {"type": "int"},
            "version": {"type": "int"},
            "bundle_file": {"type": "path"},
            **_front.BUNDLE,
        },
        supports_check_mode=True,
    )
    _front.finish(module, lambda: _answer(module))


def _answer(module: AnsibleModule) -> Dict[str, Any]:
    asked = module.params
    if asked["state"] == "rolled_back":
        return dict(config_parcel.roll_back(asked, module.check_mode))
    if asked["bundle_file"] is None:
        _front.require_bundle(module)
    compiled = config_parcel.received(asked["bundle"], asked["bundle_file"], Path(module.tmpdir))
    return dict(config_parcel.deliver(compiled, asked, module.check_mode))


if __name__ == "__main__":
    main()
