#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: config
short_description: Deliver a configuration to a pipeline whole, or roll it back
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Makes the rows of a document the live configuration of a pipeline that runs on the node. All of it is live, or
    nothing of it is changed. What differs from what is in the kernel is written, also where someone else wrote it.
  - The document is checked and compiled on the control node, once for all hosts. The node gets a bundle, verifies its
    digest, holds its layout against the tables of the object that runs there, and loads it by batches.
  - Each delivery is a version. The rows of the last three documents are kept on the node for a rollback, and the last
    one is brought into every later generation of the code.
  - A pipeline whose tables are filled by O(wirespeed.xdp.node#module:pipelines[].tables) or
    O(wirespeed.xdp.pipeline#module:tables) is refused.
  - With O(soak) a delivery is undone that does not prove itself on the node, by the verdicts of the pipeline. It is for
    O(state=delivered).
extends_documentation_fragment:
  - wirespeed.xdp.attributes
  - wirespeed.xdp.soak
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - The rows that differ, at most 20 of each kind and table; how many there are more is said.
  idempotent:
    support: full
options:
  pipeline:
    description: The pipeline's name, as in its manifest. It runs on the node already.
    type: str
    required: true
  state:
    description: What to do.
    type: str
    choices:
      delivered: The live rows are those of O(document), or of O(tables).
      rolled_back:
        - The live rows are those of O(version), delivered again as a new version.
        - Without O(version), those before the live ones. Where the last delivery was such a rollback already, nothing
          is done, so that a second run does not go forward again.
    default: delivered
  document:
    description:
      - Where the document is, on the control node. The files that it names are relative to it. It may also be a bundle,
        as C(wirespeed config compile -o) makes one; it is known by its content.
      - A path that is not absolute is looked for beside the playbook, beside the inventory, and in the working
        folder, in this order.
      - One of O(document) and O(tables) is required with O(state=delivered).
    type: str
  tables:
    description:
      - The rows, by table, in place of O(document). A table that is left out is empty.
      - A set is a list of texts, a table of records a list of mappings.
    type: dict
  schema:
    description: The version of tables and columns that O(tables) has; older ones are migrated. Without it, 1.
    type: int
  manifest:
    description:
      - Where the pipeline's manifest is, on the control node. Its object lies beside it; the document is compiled for
        that. It must be what runs on the node, as far as the tables go.
      - A path that is not absolute is looked for as O(document) says.
      - A name without C(/) and C(.yml) is one of the pipelines that come with the collection, such as V(scrubber).
        Without this option, O(pipeline) is that name. Not needed where O(document) is a bundle.
    type: str
  strategy:
    description: How the rows are brought into the kernel.
    type: str
    choices:
      auto: What of the following writes least and shows no packet a mixture of two versions.
      entry: The rows that differ are written in place. While that lasts packets can see rows of both versions.
      map_swap: The idle side of all tables is brought to the rows, then one word makes it the live one.
      program_swap: Another generation of the code is loaded with the rows in it, and published.
    default: auto
  expected_version:
    description:
      - The version that the delivery is to follow, as M(wirespeed.xdp.config_info) tells it; V(0) where none was
        delivered. Where another one is live by then, with other rows, nothing is changed and the module fails and says
        who delivered it.
    type: int
  version:
    description: The version to go back to. For O(state=rolled_back).
    type: int
  bundle:
    description:
      - Filled in by the action plugin on the control node, never by a playbook.
      - The compiled rows, or the name of the file on the node that they were sent to.
    type: str
seealso:
  - module: wirespeed.xdp.config_info
  - module: wirespeed.xdp.pipeline
  - module: wirespeed.xdp.node
"""

EXAMPLES = r"""
- name: Deliver a document
  wirespeed.xdp.config:
    pipeline: scrubber
    document: configuration/scrubber.yml

- name: Deliver a few rows, to a program of one's own
  wirespeed.xdp.config:
    pipeline: edge
    manifest: pipelines/edge.pipeline.yml
    tables:
      deny_v4: [192.0.2.0/24, 198.51.100.7]

- name: Look at which version is live
  wirespeed.xdp.config_info:
    pipeline: scrubber
  register: found

- name: Deliver, unless someone else has delivered since
  wirespeed.xdp.config:
    pipeline: scrubber
    document: configuration/scrubber.bundle
    expected_version: "{{ found.version }}"
    strategy: map_swap

- name: Go back to the rows before
  wirespeed.xdp.config:
    pipeline: scrubber
    state: rolled_back
"""

RETURN = r"""
version:
  description: The version that is live now, or in check mode would be.
  returned: success
  type: int
  sample: 4
before:
  description: The version that was live until then; 0 where none was delivered.
  returned: success
  type: int
  sample: 3
digest:
  description: The SHA-256 of the rows. Documents that say the same have the same.
  returned: success
  type: str
strategy:
  description: How the rows were brought into the kernel; empty where nothing was to be done.
  returned: success
  type: str
  sample: map_swap
why:
  description: Why in this way, in words.
  returned: success
  type: str
  sample: "4 operations that no packet may meet half done"
operations:
  description: How many elements of maps were written or deleted.
  returned: success
  type: int
  sample: 4
tables:
  description: The tables that differed.
  returned: success
  type: dict
  sample:
    deny_v4: {added: 2, changed: 0, removed: 2}
rows:
  description: The same with the first 20 rows of each kind; C(changed) are pairs of C(before) and C(after).
  returned: success
  type: dict
document_written:
  description: When O(document), or a file that it names, was last written on the control node, in seconds since 1970.
  returned: with O(document)
  type: float
  sample: 1790000000.25
steps:
  description: The steps that were taken, a line each.
  returned: success
  type: list
  elements: str
  sample: []
recovered:
  description: What was undone of an earlier run that had been killed.
  returned: success
  type: list
  elements: raw
  sample: []
diff:
  description: The rows that differ, before and after, for C(--diff).
  returned: changed
  type: dict
outcome:
  description: Which steps were taken and undone.
  returned: failure in the middle of a run
  type: dict
"""

import base64
import binascii
import sys
from pathlib import Path
from typing import Any, Dict, Mapping

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import config_engine, config_show, delivery_option, soak_option
from ..module_utils.wirespeed.config import bundle as bundles
from ..module_utils.wirespeed.config.compiled import Compiled
from ..module_utils.wirespeed.config.strategy import Strategy
from ..module_utils.wirespeed.errors import BadInput, Place


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "pipeline": {"type": "str", "required": True},
            "state": {"type": "str", "choices": list(delivery_option.STATES), "default": delivery_option.DELIVERED},
            "document": {"type": "str"},
            "tables": {"type": "dict"},
            "schema": {"type": "int"},
            "manifest": {"type": "str"},
            "strategy": {
                "type": "str",
                "choices": ["auto", "entry", "map_swap", "program_swap"],
                "default": "auto",
            },
            "expected_version": {"type": "int"},
            **_front.SOAK,
            "version": {"type": "int"},
            **_front.BUNDLE,
        },
        supports_check_mode=True,
    )
    _front.finish(module, lambda: _answer(module))


def _answer(module: AnsibleModule) -> Dict[str, Any]:
    asked, sent = module.params, _front.bundle(module)
    pipeline, how = asked["pipeline"], (Strategy(asked["strategy"]), asked["expected_version"], module.check_mode)
    if asked["state"] == delivery_option.ROLLED_BACK:
        return config_show.answered(pipeline, config_engine.rollback(pipeline, asked["version"], *how))
    soak = soak_option.parse(asked["soak"], delivery_option.PLACE)
    # Ansible reads this process's standard output; when it is gone, nobody hears how the delivery went.
    done = config_engine.apply(pipeline, _document(module, sent), *how, soak=soak, listener=sys.stdout.fileno())
    return config_show.answered(pipeline, done)


def _document(module: AnsibleModule, sent: Mapping[str, Any]) -> Compiled:
    """Raises :class:`BadInput` for anything but the rows that the control node compiled."""
    path = Path(sent.get("file") or Path(module.tmpdir) / "document.bundle")
    try:
        if "rows" in sent:
            path.write_bytes(base64.b64decode(sent["rows"], validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadInput(Place("bundle"), "", f"cannot be read: {error}.", "Leave this option out.") from None
    found = bundles.read(path)
    if found.digest != sent.get("digest"):
        raise BadInput(Place("bundle"), "digest", "is not that of the rows that were sent.", "Run the task again.")
    return found


if __name__ == "__main__":
    main()
