# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's half of the module of the same name: it sends the compiled tracers along."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ..module_utils._parcel import pack
from ..module_utils.wirespeed.bundle import dump_tracers
from ..module_utils.wirespeed.gather import built_in_tracers
from ..plugin_utils.front import Front


class ActionModule(Front):
    takes_intent = False

    def _text(self, given: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
        return pack(self._bundle(given, variables))

    def _bundle(self, given: Mapping[str, Any], variables: Mapping[str, Any]) -> Dict[str, Any]:
        return dump_tracers(built_in_tracers())
