# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's half of the module of the same name; all of it with captured facts."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ..module_utils import _front
from ..module_utils.wirespeed import bundle as bundles
from ..module_utils.wirespeed import offline, soak_option
from ..module_utils.wirespeed.model.intent import parse
from ..plugin_utils.front import Front


class ActionModule(Front):
    takes_intent = True

    def _check(self, given: Mapping[str, Any]) -> None:
        super()._check(given)
        soak_option.parse(given.get("soak"), self.place)

    def _is_without_host(self, given: Mapping[str, Any]) -> bool:
        return given.get("facts") is not None

    def _without_host(
        self, given: Dict[str, Any], bundle: Mapping[str, Any], variables: Mapping[str, Any]
    ) -> Optional[Dict[str, Any]]:
        # What the module would check on the host.
        _result, options = self.validate_argument_spec(argument_spec=_front.NODE)
        intent = parse(_front.intent(options), self.place)
        return offline.render(intent, bundles.parse(bundle), self._node(given, variables), self.place)
