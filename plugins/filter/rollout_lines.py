# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The summary of a rollout as a person reads it."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping

from ..plugin_utils.rollout import lines

DOCUMENTATION = r"""
name: rollout_lines
version_added: 0.1.0
author: Wirespeed contributors (@wirespeed)
short_description: The summary of a rollout as lines for people
description:
  - What went wrong comes first, with the reason.
  - It is part of the role P(wirespeed.xdp.rollout#role).
positional: _input
options:
  _input:
    description: What P(wirespeed.xdp.rollout_summary#filter) returned.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Report
  ansible.builtin.debug:
    msg: "{{ ansible_play_hosts_all | wirespeed.xdp.rollout_summary(hostvars, rollout_run) | wirespeed.xdp.rollout_lines }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""


def rollout_lines(told: Mapping[str, Any]) -> List[str]:
    return lines(told)


class FilterModule:
    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"rollout_lines": rollout_lines}
