# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The engine as one file, for the node to have where no control node is in reach."""

from __future__ import annotations

DOCUMENTATION = r"""
name: engine
version_added: 0.1.0
author: Wirespeed contributors (@wirespeed)
short_description: Build the engine as one file that a node's Python runs
description:
  - Packs the engine of this collection, with its NIC profiles and pipelines, into one Python zip application in
    Ansible's local temporary folder, and returns the path. The same collection always gives the same bytes, so that
    copying the file to a node changes nothing the second time.
  - The role P(wirespeed.xdp.boot#role) installs it. What the file does on a node is told by C(wirespeed.pyz --help).
options:
  _terms:
    description: Takes none.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Have the command line on a node
  ansible.builtin.copy:
    src: "{{ lookup('wirespeed.xdp.engine') }}"
    dest: /usr/local/lib/wirespeed/wirespeed.pyz
    mode: "0755"
"""

RETURN = r"""
_raw:
  description: The path of the file on the control node, as the only element.
  type: list
  elements: path
"""

from pathlib import Path
from typing import Any, List, Mapping, Optional, Sequence

from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.pyz import build


class LookupModule(LookupBase):
    def run(self, terms: Sequence[str], variables: Optional[Mapping[str, Any]] = None, **kwargs: Any) -> List[str]:
        if terms or kwargs:
            raise AnsibleLookupError("wirespeed.xdp.engine takes neither terms nor options.")
        try:
            return [str(build(Path(constants.DEFAULT_LOCAL_TMP) / "wirespeed"))]
        except OSError as error:
            raise AnsibleLookupError(f"The engine cannot be packed: {error}.") from error
