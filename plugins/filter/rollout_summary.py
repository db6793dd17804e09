# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far a rollout has come."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, Mapping

from ..plugin_utils.rollout import summary

DOCUMENTATION = r"""
name: rollout_summary
version_added: 0.1.0
author: Wirespeed contributors (@wirespeed)
short_description: How far a rollout has come
description:
  - Every host with its state, also those that no batch has come to, and how long documents took to the last host.
  - It is part of the role P(wirespeed.xdp.rollout#role).
positional: _input, variables, run, committed
options:
  _input:
    description: The hosts of the play, C(ansible_play_hosts_all).
    type: list
    elements: str
    required: true
  variables:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  run:
    description: The rollout, with C(id) and C(started).
    type: dict
    required: true
  committed:
    description: When the documents were committed, in seconds since 1970; V(0) for when their files were written.
    type: float
    required: false
"""

EXAMPLES = r"""
- name: Keep how far the fleet is
  ansible.builtin.set_fact:
    fleet: "{{ ansible_play_hosts_all | wirespeed.xdp.rollout_summary(hostvars, rollout_run) }}"
"""

RETURN = r"""
_value:
  description: The summary, as C(docs/rollout.md) has it.
  type: dict
"""


def rollout_summary(
    hosts: List[str], variables: Mapping[str, Any], run: Mapping[str, Any], committed: float = 0
) -> Dict[str, Any]:
    return summary(list(hosts), variables, run, float(committed), time.time())


class FilterModule:
    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"rollout_summary": rollout_summary}
