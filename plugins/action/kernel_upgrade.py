# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's half of the module of the same name."""

from __future__ import annotations

from ..plugin_utils.front import Front


class ActionModule(Front):
    takes_intent = True
