# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The deviations that a node module returned, one line each."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Sequence

from ansible.errors import AnsibleFilterError

from ..plugin_utils.deviations import line

DOCUMENTATION = r"""
name: drift_lines
version_added: 0.1.0
author: Wirespeed contributors (@wirespeed)
short_description: The deviations of a node as lines for people
description:
  - Each line has the path, what is wanted, what is there, the reason with its file and line, and what the repair costs.
positional: _input
options:
  _input:
    description: The RV(wirespeed.xdp.node#module:deviations) of the module M(wirespeed.xdp.node).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Compare the node with what it should be
  wirespeed.xdp.node:
    nics:
      - driver: igb
  check_mode: true
  register: drift

- name: Report
  ansible.builtin.debug:
    msg: "{{ drift.deviations | wirespeed.xdp.drift_lines }}"
"""

RETURN = r"""
_value:
  description: One line for each deviation; a single line that says so where there is none.
  type: list
  elements: str
"""


def drift_lines(deviations: Sequence[Mapping[str, Any]]) -> List[str]:
    try:
        return [line(deviation) for deviation in deviations] or ["no drift"]
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError(
            f"drift_lines: takes the 'deviations' that wirespeed.xdp.node returns; this is something else ({error})."
        ) from None


class FilterModule:
    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"drift_lines": drift_lines}
