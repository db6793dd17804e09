# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's half of every module: one bundle of all that a node needs, and one call to the node."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils._parcel import pack
from ..module_utils.wirespeed.errors import BadInput, Place, WirespeedError
from ..module_utils.wirespeed.gather import gather, pipelines_of
from ..module_utils.wirespeed.model.facts import parse_text
from ..module_utils.wirespeed.model.intent import parse
from ..module_utils.wirespeed.model.node import Node
from ..module_utils.wirespeed.offline import read_facts
from .once import once


class Front(ActionBase):
    """Subclasses say in :attr:`takes_intent` whether their module has ``nics`` and ``pipelines``."""

    TRANSFERS_FILES = False
    takes_intent = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        variables = dict(task_vars or {})
        super().run(tmp, variables)
        given = dict(self._task.args)
        try:
            self._check(given)
            answer = None
            if self._is_without_host(given):
                answer = self._without_host(given, self._bundle(given, variables), variables)
            text = "" if answer is not None else self._text(given, variables)
        except WirespeedError as error:
            problem = str(error)
        else:
            if answer is not None:
                return answer
            arguments = {**given, "bundle": text}
            return _without_bundle(self._execute_module(module_args=arguments, task_vars=variables))
        # Outside the handler: inside, ansible-core >= 2.19 prints the same sentence twice.
        raise AnsibleActionFail(problem)

    @property
    def place(self) -> Place:
        """What errors about the task's options name as their source."""
        return Place(f"wirespeed.xdp.{self._task.action.rpartition('.')[2]}")

    def _check(self, given: Mapping[str, Any]) -> None:
        """Raises :class:`BadInput` for options that no host is needed to refuse."""
        if given.get("bundle") is not None:
            raise BadInput(self.place, "bundle", "is filled in on the control node.", "Leave this option out.")
        if self.takes_intent:
            parse(intent_of(given), self.place)

    def _intent(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The task's ``nics`` and ``pipelines``, the latter with their manifests; empty where it has none."""
        return given if self.takes_intent else {}

    def _is_without_host(self, given: Mapping[str, Any]) -> bool:
        """Whether :meth:`_without_host` may have the answer."""
        return False

    def _without_host(
        self, given: Dict[str, Any], bundle: Mapping[str, Any], variables: Mapping[str, Any]
    ) -> Optional[Dict[str, Any]]:
        """The task's result where the control node alone can tell it, else None."""
        return None

    def _text(self, given: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
        """The bundle as the module takes it.

        Its files are read once for all hosts of the task that name the same ones. A task that stands in the play keeps
        its id over batches (playbook/base.py, copy), so that the last one gets what the first one got.
        """
        located, profiles = self._located(given, variables)
        named = [(entry.get("name"), entry.get("manifest")) for entry in located]
        key = json.dumps([self._task._uuid, self._task.action, named, profiles], default=str)
        return once(key, lambda: pack(self._bundle(given, variables)))

    def _bundle(self, given: Mapping[str, Any], variables: Mapping[str, Any]) -> Dict[str, Any]:
        """What the task needs of this machine's files."""
        located, profiles = self._located(given, variables)
        bundle = gather(located, profiles, Path.cwd())
        _hold_names(located, bundle, self.place)
        return bundle

    def _located(
        self, given: Mapping[str, Any], variables: Mapping[str, Any]
    ) -> Tuple[List[Dict[str, Any]], List[str]]:
        """Pipelines with the paths of their manifests, and the folders of the site's profiles."""
        finder = Finder(self._folders(variables))
        pipelines = pipelines_of(self._intent(given))
        located = [finder.pipeline(entry, self.place, f"pipelines[{i}]") for i, entry in enumerate(pipelines)]
        site = given.get("profiles_path") or ()
        if isinstance(site, str):
            site = [site]
        profiles = [finder.folder(path, self.place, f"profiles_path[{i}]") for i, path in enumerate(site)]
        return located, profiles

    def _node(self, given: Mapping[str, Any], variables: Mapping[str, Any]) -> Node:
        """The captured node of the options ``facts`` (a file) or ``running_config`` (what is in one)."""
        if given.get("facts") is not None:
            return read_facts(Finder(self._folders(variables)).file(given["facts"], self.place, "facts"))
        content = given["running_config"]
        text = content if isinstance(content, str) else json.dumps(content)
        return parse_text(text, Place("running_config"))

    def _folders(self, variables: Mapping[str, Any]) -> List[Path]:
        """Where a path that is not absolute may be: beside the playbook, beside the inventory, here."""
        beside = (self._loader.get_basedir(), variables.get("inventory_dir"), os.getcwd())
        # Without an inventory file, Ansible has the word "None" here.
        return [Path(os.path.abspath(folder)) for folder in beside if folder and folder != "None"]


class Finder:
    """Files that a task names: the first of ``folders`` that has one counts."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def pipeline(self, entry: Mapping[str, Any], place: Place, field: str) -> Dict[str, Any]:
        """The entry with its manifest as an absolute path; a built-in's name stays as it is."""
        manifest = entry.get("manifest")
        if manifest is None or not _is_path(str(manifest)):
            return dict(entry)
        return {**entry, "manifest": self._find(str(manifest), place, f"{field}.manifest")}

    def folder(self, named: Any, place: Place, field: str) -> str:
        found = self._find(str(named), place, field)
        if not os.path.isdir(found):
            raise BadInput(place, field, f"{found!r} is not a folder.", "Name the folder that holds the profiles.")
        return found

    def file(self, named: Any, place: Place, field: str) -> str:
        found = self._find(str(named), place, field)
        if not os.path.isfile(found):
            raise BadInput(place, field, f"{found!r} is not a file.", "Name the file itself.")
        return found

    def _find(self, named: str, place: Place, field: str) -> str:
        tried = list(dict.fromkeys(str(folder / Path(named).expanduser()) for folder in self._folders))
        for candidate in tried:
            if os.path.exists(candidate):
                return candidate
        raise BadInput(place, field, f"{named!r} is not on the control node.", f"Looked for {', '.join(tried)}.")


def _is_path(manifest: str) -> bool:
    return "/" in manifest or manifest.endswith((".yml", ".yaml"))


def intent_of(given: Mapping[str, Any]) -> Dict[str, Any]:
    """What the engine calls the intent; the rest of the options is the module's to judge."""
    intent: Dict[str, Any] = {"nics": given.get("nics"), "pipelines": given.get("pipelines")}
    if isinstance(intent["pipelines"], (list, tuple)):
        intent["pipelines"] = [
            {key: value for key, value in entry.items() if key != "manifest"} if isinstance(entry, Mapping) else entry
            for entry in intent["pipelines"]
        ]
    return intent


def _hold_names(located: Sequence[Mapping[str, Any]], bundle: Mapping[str, Any], place: Place) -> None:
    """A pipeline goes by one name in the playbook and in its manifest."""
    for i, (entry, packed) in enumerate(zip(located, bundle["pipelines"])):
        name = packed["manifest"]["name"]
        if name != entry["name"]:
            raise BadInput(
                place,
                f"pipelines[{i}].name",
                f"is {entry['name']!r}, but the manifest calls the pipeline {name!r}.",
                "Use the manifest's name.",
            )


def _without_bundle(result: Dict[str, Any]) -> Dict[str, Any]:
    """ansible-core before 2.21 repeats the arguments in the result."""
    result.get("invocation", {}).get("module_args", {}).pop("bundle", None)
    return result
