# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's half of the module of the same name: compiles the document once, and sends the bundle."""

from __future__ import annotations

import base64
import fcntl
import os
import tempfile
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from ansible import constants
from ansible.errors import AnsibleActionFail

from ..module_utils.wirespeed import config_parcel
from ..module_utils.wirespeed.config import bundle as bundles
from ..module_utils.wirespeed.config.document import compile_document
from ..module_utils.wirespeed.errors import BadInput, WirespeedError
from ..module_utils.wirespeed.gather import read_pipeline
from ..module_utils.wirespeed.pipeline.source import PipelineSource
from ..plugin_utils.front import Finder, Front

_PRIVATE = ("bundle", "bundle_file")


class ActionModule(Front):
    TRANSFERS_FILES = True
    takes_intent = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        variables = dict(task_vars or {})
        super(Front, self).run(tmp, variables)
        given = dict(self._task.args)
        try:
            self._check(given)
            arguments = {**given, **self._sent(self._bundle_of(given, variables))}
        except WirespeedError as error:
            problem = str(error)
        else:
            result: Dict[str, Any] = self._execute_module(module_args=arguments, task_vars=variables)
            for name in _PRIVATE:
                result.get("invocation", {}).get("module_args", {}).pop(name, None)
            return result
        # Outside the handler: inside, ansible-core >= 2.19 prints the same sentence twice.
        raise AnsibleActionFail(problem)

    def _check(self, given: Mapping[str, Any]) -> None:
        for name in _PRIVATE:
            if given.get(name) is not None:
                raise BadInput(self.place, name, "is filled in on the control node.", "Leave this option out.")
        config_parcel.check(given)

    def _bundle_of(self, given: Mapping[str, Any], variables: Mapping[str, Any]) -> Optional[Path]:
        """None where the rows are on the node already."""
        if (given.get("state") or "delivered") != "delivered":
            return None
        finder = Finder(self._folders(variables))
        if given.get("document") is None:
            return self._compiled(given, self._source(given, finder), None)
        path = Path(finder.file(given["document"], self.place, "document"))
        return path if bundles.is_bundle(path) else self._compiled(given, self._source(given, finder), path)

    def _source(self, given: Mapping[str, Any], finder: Finder) -> PipelineSource:
        name = str(given["pipeline"])
        entry = finder.pipeline({"name": name, "manifest": given.get("manifest")}, self.place, "pipeline")
        try:
            return read_pipeline(str(entry["manifest"] or name), Path.cwd())
        except BadInput as mistake:
            if mistake.field != "pipelines.manifest":
                raise
            raise BadInput(self.place, "manifest", mistake.detail, mistake.remedy) from None

    def _compiled(self, given: Mapping[str, Any], source: PipelineSource, path: Optional[Path]) -> Path:
        """One play compiles a document once, whatever the number of its hosts: they share the run's folder."""
        folder = Path(constants.DEFAULT_LOCAL_TMP)
        document = config_parcel.document(given, path)
        if path is None:
            made = Path(tempfile.mkstemp(dir=folder, suffix=".bundle")[1])
        else:
            made = folder / f"wirespeed-{config_parcel.fingerprint(document, source, path)}.bundle"
        with open(f"{made}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path is None or not made.exists():
                bundles.write(
                    compile_document(document, source.manifest.name, source.manifest.config, source.tables), made
                )
        return made

    def _sent(self, bundle: Optional[Path]) -> Dict[str, str]:
        """The private options that bring the bundle to the module."""
        if bundle is None:
            return {}
        if bundle.stat().st_size <= config_parcel.SMALL:
            return {"bundle": base64.b64encode(bundle.read_bytes()).decode("ascii")}
        remote = self._connection._shell.join_path(self._connection._shell.tmpdir, "config.bundle")
        self._transfer_file(os.fspath(bundle), remote)
        self._fixup_perms2((self._connection._shell.tmpdir, remote))
        return {"bundle_file": remote}
