# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the module node found not as it should be, one line each."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping

from ansible.errors import AnsibleFilterError

from ..module_utils.wirespeed.drift.document import compared
from ..module_utils.wirespeed.drift.lines import host_lines

DOCUMENTATION = r"""
name: drift_lines
version_added: 0.1.0
author: Wirespeed contributors (@wirespeed)
short_description: What is not as it should be on a node, as lines for people
description:
  - Each line has the path, what is wanted, what is there, the reason with its file and line, and what the repair costs.
  - What is asked for and cannot be had on the host is told after that, in lines that begin with C(unsupported).
positional: _input
options:
  _input:
    description: What the module M(wirespeed.xdp.node) returned.
    type: dict
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
    msg: "{{ drift | wirespeed.xdp.drift_lines }}"
"""

RETURN = r"""
_value:
  description: One line for each deviation; a single line that says so where there is none.
  type: list
  elements: str
"""


def drift_lines(result: Mapping[str, Any]) -> List[str]:
    host = compared("this host", result) if isinstance(result, Mapping) else None
    if host is None:
        raise AnsibleFilterError("drift_lines takes the result of wirespeed.xdp.node; this is something else.")
    return host_lines(host)


class FilterModule:
    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"drift_lines": drift_lines}
