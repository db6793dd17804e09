#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: pipeline_info
short_description: Tell which XDP pipelines and generations a node has, and which NICs run them
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - Lists the pipelines on the node, the NICs that carry each, and the generations that are loaded, with those that
    O(wirespeed.xdp.pipeline#module:state=rolled_back) can go back to.
extends_documentation_fragment:
  - wirespeed.xdp.attributes
  - wirespeed.xdp.attributes.info
options:
  name:
    description: Tell of this pipeline alone. Where the node has none of that name, RV(pipelines) is empty.
    type: str
  maps:
    description: Whether to look at the maps of the generations that run, too.
    type: bool
    default: false
    version_added: 0.1.0
  maps_seconds:
    description: The time between the two looks at the maps that give rates; with V(0) there is one look, and no rates.
    type: float
    default: 1.0
    version_added: 0.1.0
seealso:
  - module: wirespeed.xdp.pipeline
  - module: wirespeed.xdp.counters_info
"""

EXAMPLES = r"""
- name: Look at all pipelines
  wirespeed.xdp.pipeline_info:
  register: found

- name: Say what each NIC runs
  ansible.builtin.debug:
    msg: "{{ item.1.name }} carries {{ item.0.name }}"
  loop: "{{ found.pipelines | subelements('nics') }}"
  loop_control:
    label: "{{ item.1.name }}"

- name: Look at one of them
  wirespeed.xdp.pipeline_info:
    name: scrubber
  register: found

- name: Look how full the maps are
  wirespeed.xdp.pipeline_info:
    name: scrubber
    maps: true
  register: found
  failed_when: found.maps | rejectattr('level', 'eq', 'ok') | list | length > 0

- name: Say which generations are loaded
  ansible.builtin.debug:
    var: found.pipelines[0].generations
"""

RETURN = r"""
pipelines:
  description: One entry for each pipeline.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The pipeline's name.
      type: str
      sample: scrubber
    attach:
      description: What its NICs carry, V(root) or V(direct); empty where its root program is lost.
      type: str
      sample: root
    nics:
      description: The NICs that carry it.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the NIC.
          type: str
          sample: enp1s0
        runs:
          description: What is on its hook, V(root) or a generation.
          type: str
          sample: root
        dead:
          description: Whether its link is dead, because it was detached from outside or the NIC was made anew.
          type: bool
          sample: false
    generations:
      description: What of it is loaded, newest first.
      type: list
      elements: dict
      contains:
        generation:
          description: Its name, twelve hex digits.
          type: str
          sample: b3f5c2ad9c10
        published:
          description: Whether it is what the NICs run.
          type: bool
          sample: true
        previous:
          description: Whether it is what a rollback without a name goes back to.
          type: bool
          sample: false
        version:
          description: The version that its manifest says.
          type: str
          sample: 0.1.0
        digest:
          description: The SHA-256 of its object.
          type: str
        loaded_at:
          description: When it was loaded, in seconds since 1970.
          type: float
          sample: 1767225600.0
        loaded_by:
          description: The version of Wirespeed that loaded it.
          type: str
          sample: 0.1.0
        adopted:
          description: Whether it is a program that someone else attached and that was taken over.
          type: bool
          sample: false
        pending:
          description: Maps whose entries have not all been handed over to it yet.
          type: list
          elements: str
          sample: []
        maps:
          description: Its maps.
          type: list
          elements: str
          sample: [deny_v4, deny_v6, verdicts]
        in_store:
          description: Whether its source is kept on the node, so that it can be loaded again.
          type: bool
          sample: true
maps:
  description: One entry for each map of a generation that runs; what cannot be told is none.
  returned: when O(maps) is set
  type: list
  elements: dict
  contains:
    pipeline:
      description: The pipeline whose it is.
      type: str
      sample: scrubber
    name:
      description: The map's name.
      type: str
      sample: flows
    type:
      description: Its type, as the kernel calls it.
      type: str
      sample: lru_hash
    max_entries:
      description: How many entries it can have; of a table with two sides, one of them.
      type: int
      sample: 65536
    entries:
      description: How many it has.
      type: int
      sample: 48211
    expired:
      description: How many of them are over, as C(expires) of the manifest says.
      type: int
      sample: 120
    inserted_per_s:
      description: Entries that came each second.
      type: float
      sample: 181.5
    removed_per_s:
      description: Entries that went each second, deleted, swept or evicted.
      type: float
      sample: 60.0
    update_failures:
      description: How often the program counted that an entry had no room.
      type: int
      sample: 0
    full_in_s:
      description: In how many seconds it will be full at this rate; none where it does not grow.
      type: float
      sample: 142.0
    shares:
      description: Entries by entity, the biggest first.
      type: dict
      sample: {"12": 47000, "1121": 1211}
    share_of:
      description: The member of key or value that tells the entity.
      type: str
      sample: policy
    level:
      description: V(ok), V(warning) or V(critical), by C(health) of the manifest.
      type: str
      sample: warning
    why:
      description: Why the level is that, and why something cannot be told.
      type: str
orphans:
  description: What is pinned and belongs to nothing, or was never completed, a sentence each.
  returned: success
  type: list
  elements: str
  sample: []
protocol:
  description: The version of the pin protocol that the node follows; none where nothing is pinned.
  returned: success
  type: int
  sample: 1
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import map_engine, pipeline_engine


def main() -> None:
    options = {
        "name": {"type": "str"},
        "maps": {"type": "bool", "default": False},
        "maps_seconds": {"type": "float", "default": 1.0},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    _front.finish(module, lambda: _told(module.params))


def _told(asked: Dict[str, Any]) -> Dict[str, Any]:
    found = pipeline_engine.listing()
    pipelines = [each for each in found["pipelines"] if asked["name"] in (None, each["name"])]
    told = {**found, "pipelines": pipelines, "changed": False}
    if asked["maps"]:
        told["maps"] = map_engine.once([each["name"] for each in pipelines], asked["maps_seconds"])["maps"]
    return told


if __name__ == "__main__":
    main()
