# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's half of the module of the same name; all of it for states that need no host."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ..module_utils import _front
from ..module_utils.wirespeed import bundle as bundles
from ..module_utils.wirespeed import config_option, offline
from ..module_utils.wirespeed.config_option import PLACE
from ..module_utils.wirespeed.errors import BadInput
from ..module_utils.wirespeed.model.intent import unknown_word
from ..plugin_utils.front import Front

WITHOUT_HOST = ("rendered", "parsed")
SOURCES = ("facts", "running_config")


class ActionModule(Front):
    takes_intent = False

    def _check(self, given: Mapping[str, Any]) -> None:
        super()._check(given)
        state = given.get("state", "merged")
        states = _front.TUNING["state"]["choices"]
        if state not in states:
            raise unknown_word(PLACE, "state", str(state), states)
        if state == "rolled_back" and given.get("config"):
            raise BadInput(PLACE, "config", "is not for state rolled_back: it is on the node.", "Remove it.")
        if state != "rolled_back" and given.get("version") is not None:
            raise BadInput(PLACE, "version", f"is not for state {state}.", "Say state: rolled_back, or remove it.")
        if state in ("merged", "replaced", "rendered") and not given.get("config"):
            raise BadInput(PLACE, "config", f"is missing: state {state} says with it what the NICs should be.")
        sources = [name for name in SOURCES if given.get(name) is not None]
        if state in WITHOUT_HOST and len(sources) != 1:
            raise BadInput(
                PLACE,
                "facts",
                f"state {state} looks at no host, and {' and '.join(sources) or 'neither facts nor running_config'} "
                "is given.",
                "Name a file that the module wirespeed.xdp.nic_info or 'wirespeed facts --json' wrote in 'facts', or "
                "give what is in one as 'running_config'.",
            )
        if state not in WITHOUT_HOST and sources:
            raise BadInput(PLACE, sources[0], f"is not for state {state}, which looks at the host.", "Remove it.")
        config_option.parse(given.get("config"), merge=True)

    def _is_without_host(self, given: Mapping[str, Any]) -> bool:
        return given.get("state") in WITHOUT_HOST

    def _without_host(
        self, given: Dict[str, Any], bundle: Mapping[str, Any], variables: Mapping[str, Any]
    ) -> Optional[Dict[str, Any]]:
        # What the module would check on the host.
        _result, options = self.validate_argument_spec(argument_spec=_front.TUNING)
        config = [_front.given(entry) for entry in options["config"]]
        with config_option.told_of_config():
            intent = config_option.parse(config, merge=options["render_as"] == "merged")
            node, unpacked = self._node(given, variables), bundles.parse(bundle)
            if options["state"] == "parsed":
                return {"changed": False, "parsed": offline.parsed(intent, unpacked.profiles, node, PLACE)}
            answer = offline.render(intent, unpacked, node, PLACE)
        return {**answer, "rendered": [step["text"] for step in answer["steps"]]}
