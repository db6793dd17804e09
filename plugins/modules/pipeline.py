#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: pipeline
short_description: Attach one XDP pipeline to NICs, reload it, roll it back, or detach it
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Brings one pipeline to where it should be, and leaves what its NICs are tuned to as it is. Tuning is the matter of
    M(wirespeed.xdp.nic); M(wirespeed.xdp.node) does both in one transaction.
  - Where the NICs run the pipeline with another object, manifest or constants, the new generation is loaded beside it,
    tested as its manifest says, takes over the state, and is then published. Where nothing differs, nothing is done.
    When a step fails, every step before it is undone.
  - What a driver demands of a NIC before it takes a program is not set here; where it is not met, the module fails and
    says what to set.
  - A node with the role P(wirespeed.xdp.boot#role) brings back at boot what this module has reached.
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
  name:
    description: The pipeline's name, as in its manifest.
    type: str
    required: true
  state:
    description: What to do.
    type: str
    choices:
      attached: The NICs carry the pipeline as its manifest and the options say.
      detached:
        - The NICs no longer carry the pipeline. When no NIC carries it any more it is unloaded, and what it has counted
          and learned is gone.
      rolled_back:
        - The NICs run O(generation) again, with the rows and constants that it has. What the later one has learned and
          counted is taken along. It is published at once, without the manifest's tests and health gate.
    default: attached
  nics:
    description:
      - The NICs that this is about, each by its name, or as a mapping with exactly one of C(name), C(driver), C(mac)
        and C(pci).
      - Such a mapping may also have C(mode), C(max_disruption) and C(foreign), which go before the options of that
        name, and C(workload), C(redirect_to) and C(profile), which are as in O(wirespeed.xdp.node#module:nics).
      - Required with O(state=attached). With O(state=detached) each needs a name, and without this option all NICs that
        carry the pipeline are meant. With O(state=rolled_back) it is always all of them.
      - NICs that are not named keep the pipeline that they carry. If it is this one they run what is published, as all.
    type: list
    elements: raw
  manifest:
    description:
      - Where the pipeline's manifest is, on the control node. Its object lies beside it. For O(state=attached).
      - A path that is not absolute is looked for beside the playbook, beside the inventory, and in the working
        folder, in this order.
      - A name without C(/) and C(.yml) is one of the pipelines that come with the collection, such as V(scrubber).
        Without this option, O(name) is that name.
    type: str
  tables:
    description:
      - The configuration, by table; each a list of texts, one for each row. For O(state=attached).
      - A row is a prefix, an address or a port, by the kind of table that the manifest says; a port is in quotes. In a
        table of records it is a mapping of columns.
    type: dict
  constants:
    description: Values for the program's constants, by name. For O(state=attached).
    type: dict
  mode:
    description: How the program is attached. For O(state=attached).
    type: str
    choices:
      auto: In the driver where the driver can, else in the network stack, with a warning.
      native: In the driver, or fail with the reason.
      generic: In the network stack.
    default: auto
  attach:
    description: What the NICs carry on their hook. For O(state=attached).
    type: str
    choices:
      root: A small program that calls the pipeline. A reload is one write for all NICs, and no driver notices.
      direct:
        - The pipeline's program itself, which saves that call. A reload replaces it on each NIC, at the cost that the
          NIC's profile states for a swap.
      auto: V(direct) where such a swap costs nothing on any of O(nics), else V(root).
    default: root
  foreign:
    description: What becomes of a program on the XDP hook that someone else attached. For O(state=attached).
    type: str
    choices:
      refuse: It stays, nothing is changed, and the module fails and says whose it is.
      adopt:
        - It is taken over where it runs, without a moment in which no program does, and then replaced by the pipeline
          like any earlier generation. Until that is unloaded, O(state=rolled_back) goes back to it.
        - What it has in its maps is handed over where a root program can call it and the pipeline has none yet; else a
          warning says why not. The mode stays; where O(mode) is another, the module fails.
    default: refuse
  max_disruption:
    description:
      - The worst that traffic may feel while the node is changed. A change that costs more is refused with the reason,
        before anything is changed. For O(state=attached).
    type: str
    choices:
      none: Nothing at all.
      pause: Rings stand still for a moment.
      reset: Rings are created anew, packets in them are lost.
      bounce: The carrier goes down and up.
      gap: The XDP program is absent for a moment, packets pass unfiltered.
    default: gap
  generation:
    description:
      - The generation that O(state=rolled_back) goes back to, as M(wirespeed.xdp.pipeline_info) tells it; its first
        digits are enough.
      - Without it, the one that was published before. Where the last publish was such a rollback already, nothing is
        done, so that a second run does not go forward again.
    type: str
  profiles_path:
    description:
      - Folders on the control node with NIC profiles of the site's own, which go before those of the collection;
        a later folder goes before an earlier one.
      - A path that is not absolute is looked for as O(manifest) says.
    type: list
    elements: path
    default: []
  bundle:
    description:
      - Filled in by the action plugin on the control node, never by a playbook.
      - The profiles, the manifest and the compiled objects that the node needs, as JSON, compressed and in Base64.
    type: str
seealso:
  - module: wirespeed.xdp.pipeline_info
  - module: wirespeed.xdp.node
  - module: wirespeed.xdp.nic
"""

EXAMPLES = r"""
- name: Attach the scrubber that comes with the collection
  wirespeed.xdp.pipeline:
    name: scrubber
    nics: [enp1s0, enp2s0]
    tables:
      deny_v4: [192.0.2.0/24, 198.51.100.7/32]

- name: Reload a program of one's own with another constant, if traffic feels nothing of it
  wirespeed.xdp.pipeline:
    name: edge
    manifest: pipelines/edge.pipeline.yml
    nics:
      - driver: igb
    constants: {min_ttl: 5}
    max_disruption: none

- name: Go back to what ran before
  wirespeed.xdp.pipeline:
    name: edge
    state: rolled_back

- name: Take over the NIC from a program that someone attached with another tool
  wirespeed.xdp.pipeline:
    name: scrubber
    nics: [enp3s0]
    foreign: adopt

- name: Take it off one NIC
  wirespeed.xdp.pipeline:
    name: scrubber
    state: detached
    nics: [enp2s0]

- name: Take it off all that carry it, and unload it
  wirespeed.xdp.pipeline:
    name: scrubber
    state: detached
"""

RETURN = r"""
steps:
  description:
    - The steps that were taken, or in check mode would be, in this order.
    - Each has C(target), C(action), C(resource), C(before), C(after), C(why), C(origin), C(disruption), C(because) and
      C(text), as those of M(wirespeed.xdp.node).
  returned: success
  type: list
  elements: dict
  sample: []
deviations:
  description: What was not as it should be, as M(wirespeed.xdp.node) returns it.
  returned: success
  type: list
  elements: dict
  sample: []
nics:
  description: One row for each NIC, as M(wirespeed.xdp.node) returns it. Empty with O(state=detached).
  returned: success
  type: list
  elements: dict
recovered:
  description: What was undone of an earlier run that had been killed.
  returned: success
  type: list
  elements: raw
  sample: []
diff:
  description: The steps and the values before and after, for C(--diff).
  returned: success
  type: dict
outcome:
  description: Which steps were taken and undone.
  returned: failure in the middle of a run
  type: dict
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import engine, pipeline_engine, pipeline_option


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **_front.PIPELINE,
            **{name: _front.NIC[name] for name in pipeline_option.FOR_ALL_NICS},
            "state": {"type": "str", "choices": list(pipeline_option.STATES), "default": "attached"},
            "nics": {"type": "list", "elements": "raw"},
            "generation": {"type": "str"},
            **_front.PROFILES,
            **_front.BUNDLE,
        },
        supports_check_mode=True,
    )
    _front.finish(module, lambda: _answer(module))


def _answer(module: AnsibleModule) -> Dict[str, Any]:
    asked, bundle, check = module.params, _front.bundle(module), module.check_mode
    with pipeline_option.told_of_options():
        if asked["state"] == "detached":
            return pipeline_engine.detached(asked["name"], pipeline_option.names(asked), check)
        if asked["state"] == "rolled_back":
            return pipeline_engine.rolled_back(asked["name"], asked["generation"], bundle, check)
        return engine.converge(pipeline_option.intent(asked), bundle, check, str(pipeline_option.PLACE))


if __name__ == "__main__":
    main()
