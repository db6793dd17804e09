# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module of the collection says about check mode, diff mode, platform and group."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the changed status prediction without modifying the node.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)) in diff mode.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second run changes nothing.
  platform:
    description: Operating systems that the module works on.
    platforms: linux
    support: full
  action_group:
    description: Use C(group/wirespeed.xdp.xdp) in C(module_defaults) to set defaults for this module.
    membership:
      - wirespeed.xdp.xdp
    support: full
requirements:
  - root on the node
  - Linux 6.1 or newer
  - Python 3.9 or newer
  - pyroute2 0.7.2 or newer, pyudev, Jinja2, and libbpf 1.1 or newer; the role
    P(wirespeed.xdp.prerequisites#role) installs them
  - on the control node jsonschema and PyYAML
"""

    # For modules that only look.
    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module does not modify the node.
  diff_mode:
    support: N/A
    details:
      - This module does not modify the node.
  idempotent:
    support: full
    details:
      - This module does not modify the node.
"""
