# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a rollback of one host goes."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

from ansible.errors import AnsibleFilterError

from ..plugin_utils.rollback import BadGoal, goal

DOCUMENTATION = r"""
name: rollback_goal
version_added: 0.1.0
author: Wirespeed contributors (@wirespeed)
short_description: Where a rollback of one host goes
description:
  - Lists the versions that a host is to go back to, for P(wirespeed.xdp.rollback#role).
  - It is part of the role P(wirespeed.xdp.rollback#role).
positional: _input, what, pipelines, record, summary, detach
options:
  _input:
    description: V(rollout), V(previous), or a mapping of C(generation), C(configuration) and C(tuning).
    type: raw
    required: true
  what:
    description: What is to go back; of V(code), V(configuration) and V(tuning).
    type: list
    elements: str
    required: true
  pipelines:
    description: The pipelines by name.
    type: list
    elements: str
    required: true
  record:
    description: The text of the host's result of the last rollout; for V(rollout).
    type: str
    required: true
  summary:
    description: The text of the fleet's. Where there is one, a host without a result is one that it has not come to.
    type: str
    required: false
  detach:
    description: Whether pipelines that were not there before are to be taken off; for V(rollout).
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say where it goes
  ansible.builtin.debug:
    msg: "{{ 'previous' | wirespeed.xdp.rollback_goal(['code'], ['scrubber'], '') }}"
"""

RETURN = r"""
_value:
  description: C(code), C(detached), C(configuration), C(tuning), and the same as C(lines) for people.
  type: dict
"""


def rollback_goal(
    to: Any, what: List[str], pipelines: List[str], record: str, summary: str = "", detach: bool = False
) -> Dict[str, List[Any]]:
    try:
        return goal(to, list(what), list(pipelines), record, summary, detach)
    except BadGoal as error:
        problem = str(error)
    raise AnsibleFilterError(problem)


class FilterModule:
    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"rollback_goal": rollback_goal}
