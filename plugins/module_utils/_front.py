# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection: what the modules share between Ansible's arguments and one call into the engine."""

from __future__ import annotations

import traceback
from typing import Any, Callable, Dict, List, Mapping, NoReturn

from ansible.module_utils.basic import AnsibleModule

from . import _compiled, _parcel
from .wirespeed.config_option import ABOUT_XDP
from .wirespeed.errors import WirespeedError
from .wirespeed.plain import plain

NIC = {
    "name": {"type": "str"},
    "driver": {"type": "str"},
    "mac": {"type": "str"},
    "pci": {"type": "str"},
    "workload": {"type": "str", "choices": ["drop", "forward", "stack"], "default": "drop"},
    "pipeline": {"type": "str"},
    "mode": {"type": "str", "choices": ["auto", "native", "generic"], "default": "auto"},
    "max_disruption": {"type": "str", "choices": ["none", "pause", "reset", "bounce", "gap"], "default": "gap"},
    "profile": {"type": "str"},
    "tuning": {"type": "dict"},
    "profile_tuning": {"type": "bool", "default": True},
    "redirect_to": {"type": "list", "elements": "str"},
    "foreign": {"type": "str", "choices": ["refuse", "adopt"], "default": "refuse"},
}

PIPELINE = {
    "name": {"type": "str", "required": True},
    "manifest": {"type": "str"},
    "tables": {"type": "dict"},
    "constants": {"type": "dict"},
    "attach": {"type": "str", "choices": ["root", "direct", "auto"], "default": "root"},
}

# Not a secret. no_log keeps some 100 KB of Base64 out of the node's journal and of the result; as one opaque text it
# cannot censor anything else by chance.
BUNDLE = {"bundle": {"type": "str", "no_log": True}}

PROFILES = {"profiles_path": {"type": "list", "elements": "path", "default": []}}

INTENT = {
    "nics": {"type": "list", "elements": "dict", "required": True, "options": NIC},
    "pipelines": {"type": "list", "elements": "dict", "default": [], "options": PIPELINE},
    **PROFILES,
    **BUNDLE,
}

SOAK = {
    "soak": {
        "type": "dict",
        "options": {
            "seconds": {"type": "float", "default": 0.0},
            "min_packets": {"type": "int"},
            "max_change": {"type": "float"},
            "max_errors": {"type": "int"},
            "verdicts": {"type": "dict"},
            "reach": {"type": "list", "elements": "str", "default": []},
        },
    }
}

NODE = {
    **INTENT,
    **SOAK,
    "facts": {"type": "path"},
    "when_lacking": {"type": "str", "choices": ["fail", "tell"], "default": "fail"},
}

KERNEL_UPGRADE = {
    **INTENT,
    "state": {"type": "str", "choices": ["foretold", "compared"], "default": "foretold"},
    "to": {"type": "str", "default": ""},
    "record": {"type": "bool", "default": True},
}

# The module nic: an intent's NICs without what is about XDP.
TUNING = {
    "config": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {name: spec for name, spec in NIC.items() if name not in ABOUT_XDP},
    },
    "state": {
        "type": "str",
        "choices": ["merged", "replaced", "rolled_back", "gathered", "rendered", "parsed"],
        "default": "merged",
    },
    "version": {"type": "int"},
    "render_as": {"type": "str", "choices": ["merged", "replaced"], "default": "merged"},
    "facts": {"type": "path"},
    "running_config": {"type": "raw"},
    **PROFILES,
    **BUNDLE,
}


def bundle(module: AnsibleModule) -> Mapping[str, Any]:
    """What the action plugin sent; ends the module where a module was called without it."""
    text = module.params["bundle"]
    if not text:
        module.fail_json(
            msg="bundle: is missing. The action plugin of this module fills it in on the control node; "
            "call the module from a playbook by its full name, wirespeed.xdp."
            f"{module._name.rpartition('.')[2]}, without 'bundle'."
        )
    return _parcel.unpack(text)


def intent(options: Mapping[str, Any]) -> Dict[str, List[Dict[str, Any]]]:
    """The engine's intent: what was given, without what was left out and without the control node's paths."""
    return {
        "nics": [given(nic) for nic in options["nics"]],
        "pipelines": [given(pipeline, without="manifest") for pipeline in options["pipelines"]],
    }


def given(options: Mapping[str, Any], without: str = "") -> Dict[str, Any]:
    """The options that were given: Ansible has None for the others."""
    return {key: value for key, value in options.items() if value is not None and key != without}


def finish(module: AnsibleModule, call: Callable[[], Dict[str, Any]]) -> NoReturn:
    """Run ``call`` and end the module with its result, or with one paragraph on what went wrong."""
    failure: Dict[str, Any] = {}
    result: Dict[str, Any] = {}
    try:
        result = call()
    except WirespeedError as error:
        failure = {"msg": str(error), **({"unsupported": True} if error.unsupported else {}), **_outcome(error)}
    except Exception as error:  # pylint: disable=broad-exception-caught
        failure = _defect(module, error)
    if not module.check_mode:
        _compiled.save()
    if failure:
        # Outside the handlers: inside, ansible-core >= 2.19 adds the chain of causes to the message.
        module.fail_json(**failure)
    for warning in result.pop("warnings", []):
        module.warn(warning)
    module.exit_json(**result)


def _outcome(error: WirespeedError) -> Dict[str, Any]:
    """What was done and undone before the error, and what a soak has seen, where the engine says so."""
    told = {word: getattr(error, word, None) for word in ("outcome", "clean", "soak")}
    return {word: plain(said) for word, said in told.items() if said is not None}


def _defect(module: AnsibleModule, error: Exception) -> Dict[str, Any]:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    file = frame.filename.rpartition("/module_utils/")[2]
    failure = {
        "msg": f"This is a defect of wirespeed.xdp: {type(error).__name__}: {error} ({file}:{frame.lineno}). "
        "Please report it, with the output of the same command with -vvv."
    }
    if module._verbosity >= 3:
        failure["traceback"] = traceback.format_exc().splitlines()
    return failure
