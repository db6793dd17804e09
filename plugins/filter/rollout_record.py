# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What became of one host in a rollout."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, Mapping, Optional

from ..plugin_utils.rollout import record

DOCUMENTATION = r"""
name: rollout_record
version_added: 0.1.0
author: Wirespeed contributors (@wirespeed)
short_description: What became of one host in a rollout
description:
  - Makes the record that is written into a file for each host, out of the results of its tasks.
  - It is part of the role P(wirespeed.xdp.rollout#role).
positional: _input, run, plan, earlier, change, deliveries
options:
  _input:
    description: The host's name.
    type: str
    required: true
  run:
    description: The rollout, with C(id).
    type: dict
    required: true
  plan:
    description: What M(wirespeed.xdp.node) returned in check mode.
    type: dict
    required: true
  earlier:
    description: The text of the host's record so far; empty for none.
    type: str
    required: true
  change:
    description: What M(wirespeed.xdp.node) returned. Without it the change is about to begin.
    type: dict
    required: false
  deliveries:
    description: What M(wirespeed.xdp.config) returned, one for each document.
    type: list
    elements: dict
    required: false
"""

EXAMPLES = r"""
- name: Keep what became of the host
  ansible.builtin.set_fact:
    rollout_reached: "{{ inventory_hostname | wirespeed.xdp.rollout_record(rollout_run, rollout_plan, '', rollout_change) }}"
"""

RETURN = r"""
_value:
  description: The record, as C(docs/rollout.md) has it.
  type: dict
"""


def rollout_record(
    host: str,
    run: Mapping[str, Any],
    plan: Mapping[str, Any],
    earlier: str,
    change: Optional[Mapping[str, Any]] = None,
    deliveries: Optional[List[Mapping[str, Any]]] = None,
) -> Dict[str, Any]:
    return record(host, run, plan, earlier, change, deliveries or (), time.time())


class FilterModule:
    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"rollout_record": rollout_record}
