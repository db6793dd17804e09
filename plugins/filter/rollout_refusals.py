# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What stands against a rollout before its first change."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping

from ..plugin_utils.rollout import refusals

DOCUMENTATION = r"""
name: rollout_refusals
version_added: 0.1.0
author: Wirespeed contributors (@wirespeed)
short_description: What stands against a rollout before its first change
description:
  - Names each host that could not be planned for, and says why.
  - It is part of the role P(wirespeed.xdp.rollout#role).
positional: _input, variables
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
"""

EXAMPLES = r"""
- name: Stop before the first change where a host would be refused
  ansible.builtin.assert:
    that: ansible_play_hosts_all | wirespeed.xdp.rollout_refusals(hostvars) == []
"""

RETURN = r"""
_value:
  description: One line for each such host.
  type: list
  elements: str
"""


def rollout_refusals(hosts: List[str], variables: Mapping[str, Any]) -> List[str]:
    return refusals(list(hosts), variables)


class FilterModule:
    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"rollout_refusals": rollout_refusals}
