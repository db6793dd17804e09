#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: diagnose
short_description: Say which stage loses frames of a NIC, and why
version_added: 0.1.0
author:
  - Wirespeed contributors (@wirespeed)
description:
  - >-
    Watches one NIC for some seconds and names what lost frames, the likeliest cause first, each with its evidence and
    what to do about it. What the pipeline drops on purpose is told apart.
  - It looks at the unified counters, the CPUs that serve the NIC, the rings, the bus, pause frames, the time that the
    program takes, and the kernel's own tracepoints of XDP.
  - The kernel times BPF programs meanwhile. Nothing else is changed.
extends_documentation_fragment:
  - wirespeed.xdp.attributes
  - wirespeed.xdp.attributes.info
options:
  nic:
    description: The NIC, by its name.
    type: str
    required: true
  seconds:
    description: How long, from 0.1 to 3600.
    type: float
    default: 10.0
  deep:
    description:
      - Also why the kernel's stack drops packets, and how late its softirqs begin. That needs bcc and kernel headers on
        the node; without them RV(unseen) says what is missing.
    type: bool
    default: false
  profiles_path:
    description:
      - Folders on the control node with NIC profiles of the site's own, which go before those of the collection;
        a later folder goes before an earlier one.
    type: list
    elements: path
    default: []
  bundle:
    description:
      - Filled in by the action plugin on the control node, never by a playbook.
      - The NIC profiles and the compiled probes, compressed and in Base64.
    type: str
seealso:
  - module: wirespeed.xdp.counters_info
  - module: wirespeed.xdp.trace
"""

EXAMPLES = r"""
- name: Find out who loses frames
  wirespeed.xdp.diagnose:
    nic: enp1s0
  register: diagnosis

- name: Show it as the command line would
  ansible.builtin.debug:
    var: diagnosis.text

- name: Stop a rollout where frames are lost
  ansible.builtin.assert:
    that: diagnosis.lost == 0
    fail_msg: "{{ diagnosis.causes[0].says }}"
"""

RETURN = r"""
lost:
  description: Good frames that the NIC and its rings lost in the window.
  returned: success
  type: int
  sample: 468
seconds:
  description: How long the window was.
  returned: success
  type: float
  sample: 10.0
causes:
  description:
    - The likeliest first, one C(nothing) where nothing was lost.
    - Each has its C(stage), what it C(says), the C(confidence) (C(certain), C(likely), C(possible)), how many C(frames)
      it explains (0 where none are lost), C(evidence) and C(advice).
  returned: success
  type: list
  elements: dict
  sample:
    - stage: descriptors
      says: bursts are longer than the receive ring, on CPUs that have time
      confidence: likely
      frames: 468
      evidence: [the ring has 32 descriptors of 4096 that are possible]
      advice: ["Make it larger (tuning rings: rx: 4096)."]
evidence:
  description: The figures that the causes rest on. What was not seen is null.
  returned: success
  type: dict
  sample: {ring: 32, ring_most: 4096, queues: {"0": 3532, "1": 0}, imbalance: 2.0}
unseen:
  description: What could not be looked at, and why.
  returned: success
  type: list
  elements: str
  sample: ["pause frames: vmxnet3 tells none"]
text:
  description: All of it for a terminal.
  returned: success
  type: list
  elements: str
  sample: ["enp1s0  vmxnet3  4.2 s: 468 frames lost"]
"""

import time
from typing import Any, Dict, Mapping

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _front
from ..module_utils.wirespeed import diagnose_engine
from ..module_utils.wirespeed.bundle import parse, parse_probes
from ..module_utils.wirespeed.errors import Place

SPEC = {
    "nic": {"type": "str", "required": True},
    "seconds": {"type": "float", "default": 10.0},
    "deep": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleModule(argument_spec={**SPEC, **_front.PROFILES, **_front.BUNDLE}, supports_check_mode=True)
    asked = {name: module.params[name] for name in SPEC}
    _front.finish(module, lambda: _diagnosed(asked, _front.bundle(module)))


def _diagnosed(asked: Mapping[str, Any], sent: Mapping[str, Any]) -> Dict[str, Any]:
    place = Place("wirespeed.xdp.diagnose")
    seconds = diagnose_engine.bounded(asked["seconds"], place)
    profiles, probes = parse(sent).profiles, parse_probes(sent)
    return diagnose_engine.diagnose(asked["nic"], profiles, probes, lambda: time.sleep(seconds), asked["deep"], place)


if __name__ == "__main__":
    main()
