# SPDX-License-Identifier: GPL-3.0-or-later
"""Wirespeed: make a node's NICs ready for XDP, keep them so, and prove it.

The package is one pipeline of five verbs (see :mod:`.engine`)::

    observe -> resolve -> plan -> apply -> verify

It is imported as ``wirespeed`` on a node and as
``ansible_collections.wirespeed.xdp.plugins.module_utils.wirespeed`` inside Ansible, so every
import in it is relative and nothing in it knows Ansible.
"""

from __future__ import annotations

__version__ = "0.1.0"
