# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's half of the module of the same name."""

from __future__ import annotations

from typing import Any, Mapping

from ..module_utils.wirespeed import pipeline_option
from ..plugin_utils.front import Front


class ActionModule(Front):
    takes_intent = False

    def _check(self, given: Mapping[str, Any]) -> None:
        super()._check(given)
        pipeline_option.check(given)

    def _intent(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is detached or rolled back to is on the node already."""
        return pipeline_option.intent(given) if (given.get("state") or "attached") == "attached" else {}

    def _text(self, given: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
        with pipeline_option.told_of_options():
            return super()._text(given, variables)
