# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hosts of earlier batches that did not get there."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping

from ..plugin_utils.rollout import behind

DOCUMENTATION = r"""
name: rollout_behind
version_added: 0.1.0
author: Wirespeed contributors (@wirespeed)
short_description: Hosts of earlier batches of a rollout that did not get there
description:
  - Goes by what became of them, so that it holds for hosts that failed, were rescued or could not be reached alike.
  - It is part of the role P(wirespeed.xdp.rollout#role).
positional: _input, variables, batch
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
  batch:
    description: The hosts of this batch, C(ansible_play_batch).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Stop where a host of an earlier batch did not get there
  ansible.builtin.assert:
    that: ansible_play_hosts_all | wirespeed.xdp.rollout_behind(hostvars, ansible_play_batch) == []
"""

RETURN = r"""
_value:
  description: Their names.
  type: list
  elements: str
"""


def rollout_behind(hosts: List[str], variables: Mapping[str, Any], batch: List[str]) -> List[str]:
    return behind(list(hosts), variables, list(batch))


class FilterModule:
    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"rollout_behind": rollout_behind}
