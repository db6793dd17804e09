# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's half of the module of the same name: it sends the profiles and the compiled probes along."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ..module_utils.wirespeed.bundle import dump_probes
from ..module_utils.wirespeed.gather import built_in_probes
from ..plugin_utils.front import Front


class ActionModule(Front):
    takes_intent = False

    def _bundle(self, given: Mapping[str, Any], variables: Mapping[str, Any]) -> Dict[str, Any]:
        return {**super()._bundle(given, variables), **dump_probes(built_in_probes())}
