# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of modules and roles, as ``ansible-doc`` tells them of the staged collection."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from tests import playbook

OURS = "wirespeed.xdp."
KEPT = ("type", "elements", "choices", "default", "required", "aliases")
SECTIONS = {"module": ("doc", "options"), "role": ("entry_points", "main", "options")}


@functools.cache
def shown(kind: str) -> Dict[str, Any]:
    """What ``ansible-doc --json`` says of every plugin of that kind, by its short name."""
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": playbook.collections_path(), "ANSIBLE_NOCOLOR": "1"}
    program = [str(Path(sys.executable).parent / "ansible-doc"), "--json", "-t", kind]

    def ask(*names: str) -> Dict[str, Any]:
        done = subprocess.run([*program, *names], env=environment, capture_output=True, text=True, check=True)
        return dict(json.loads(done.stdout))

    names = sorted(ask("--list", OURS.rstrip(".")))
    return {name[len(OURS) :]: each for name, each in (ask(*names) if names else {}).items()}


@functools.cache
def spec(kind: str, name: str) -> Dict[str, Any]:
    """An argument specification. KeyError where there is no such module or role."""
    options: Any = shown(kind)[name]
    for key in SECTIONS[kind]:
        options = options[key]
    return _spec(options or {})


def _spec(options: Mapping[str, Any]) -> Dict[str, Any]:
    made = {}
    for name, option in options.items():
        made[name] = {key: option[key] for key in KEPT if key in option}
        if isinstance(option.get("choices"), dict):  # with what each of them means
            made[name]["choices"] = list(option["choices"])
        within = option.get("suboptions") or option.get("options")
        if within:
            made[name]["options"] = _spec(within)
    return made


def mistakes(kind: str, name: str, given: Mapping[str, Any]) -> List[str]:
    """What the arguments ``given`` get wrong. A value that is a template can be anything."""
    try:
        wanted = spec(kind, name)
    except KeyError:
        return [f"there is no {kind} {OURS}{name}; there are {', '.join(sorted(shown(kind)))}"]
    wanted, given = _without_templates(wanted, given)
    found = ArgumentSpecValidator(wanted).validate(given).error_messages
    return [f"{kind} {OURS}{name}: {each}" for each in found]


def _without_templates(wanted: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    spec, values = dict(wanted), dict(given)
    for name, value in given.items():
        if name not in spec:
            continue
        if is_template(value):
            spec[name] = {"type": "raw"}
        elif isinstance(value, list) and "options" in spec[name]:
            pairs = [_without_templates(spec[name]["options"], each) for each in value if isinstance(each, dict)]
            loose = {key: each for pair in pairs for key, each in pair[0].items() if each == {"type": "raw"}}
            spec[name] = {**spec[name], "options": {**spec[name]["options"], **loose}}
    return spec, values


def is_template(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value
