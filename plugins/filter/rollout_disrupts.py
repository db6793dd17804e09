# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether steps disturb traffic."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping

from ..plugin_utils.rollout import DISRUPTIVE, worst

DOCUMENTATION = r"""
name: rollout_disrupts
version_added: 0.1.0
author: Wirespeed contributors (@wirespeed)
short_description: Whether steps re-create rings, take the carrier down or leave a gap
description:
  - True where one of the steps has the disruption V(reset), V(bounce) or V(gap).
  - It is part of the role P(wirespeed.xdp.rollout#role).
positional: _input
options:
  _input:
    description: The C(steps) that M(wirespeed.xdp.node) returned.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Not many of these at once
  ansible.builtin.debug:
    msg: "{{ planned.steps | wirespeed.xdp.rollout_disrupts }}"
"""

RETURN = r"""
_value:
  description: Whether one of them does.
  type: bool
"""


def rollout_disrupts(steps: List[Mapping[str, Any]]) -> bool:
    return worst(steps) in DISRUPTIVE


class FilterModule:
    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"rollout_disrupts": rollout_disrupts}
