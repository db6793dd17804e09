# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's half of the module of the same name: the document is compiled here, once for all hosts."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from ansible import constants

from ..module_utils._parcel import pack
from ..module_utils.wirespeed import delivery_option, soak_option
from ..module_utils.wirespeed.compiling import compiled
from ..module_utils.wirespeed.config import bundle as bundles
from ..module_utils.wirespeed.config import document as documents
from ..module_utils.wirespeed.config.files import File
from ..module_utils.wirespeed.errors import BadInput, Place
from ..module_utils.wirespeed.gather import read_pipeline
from ..module_utils.wirespeed.pipeline.source import PipelineSource
from ..plugin_utils.front import Finder, Front

LARGEST_INLINE = 64 << 10
"""Bytes of a bundle that goes along with the module's options; a larger one is a file of its own."""


class ActionModule(Front):
    takes_intent = False
    _written: Optional[float] = None

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        """With ``document_written`` of a document that is a file: when it or a file that it names was last written."""
        result = super().run(tmp, task_vars)
        return result if self._written is None else {**result, "document_written": self._written}

    def _check(self, given: Mapping[str, Any]) -> None:
        super()._check(given)
        delivery_option.check(given)
        soak_option.parse(given.get("soak"), self.place)

    def _text(self, given: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
        return pack(self._bundle(given, variables))

    def _bundle(self, given: Mapping[str, Any], variables: Mapping[str, Any]) -> Dict[str, Any]:
        """``digest`` of the rows, and the bundle itself (``rows``), or where it is on the node (``file``)."""
        if delivery_option.state(given) == delivery_option.ROLLED_BACK:
            return {}
        path = self._compiled(given, Finder(self._folders(variables)))
        found = bundles.read(path)
        if found.pipeline != given["pipeline"]:
            problem = f"is {given['pipeline']!r}, but the document is of {found.pipeline!r}."
            raise BadInput(self.place, "pipeline", problem, "Correct one of the two.")
        size = path.stat().st_size
        self._display.v(f"{found.pipeline}: {found.rows} rows in {size} bytes, digest {found.digest}")
        if size <= LARGEST_INLINE:
            return {"digest": found.digest, "rows": base64.b64encode(path.read_bytes()).decode("ascii")}
        return {"digest": found.digest, "file": self._sent(path)}

    def _compiled(self, given: Mapping[str, Any], finder: Finder) -> Path:
        """The bundle on this machine. Raises :class:`BadInput`."""
        if given.get("document") is None:
            document = documents.given(delivery_option.inline(given), self.place)
        else:
            path = Path(finder.file(given["document"], self.place, "document"))
            self._written = path.stat().st_mtime
            if bundles.is_bundle(path):
                return path
            document = documents.read(path)
            files = [rows.path for rows in document.tables.values() if isinstance(rows, File)]
            self._written = max(os.stat(each).st_mtime for each in (path, *files))
        return compiled(document, self._source(given, finder), Path(constants.DEFAULT_LOCAL_TMP) / "wirespeed")

    def _source(self, given: Mapping[str, Any], finder: Finder) -> PipelineSource:
        name = given.get("manifest") or given["pipeline"]
        located = finder.pipeline({"manifest": name}, self.place, "")["manifest"]
        try:
            return read_pipeline(str(located), Path.cwd())
        except BadInput as mistake:
            if mistake.place != Place("intent"):
                raise
            raise BadInput(self.place, "manifest", mistake.detail, mistake.remedy) from None

    def _sent(self, path: Path) -> str:
        """Where the bundle is on the node, in the task's own folder, which goes with the task."""
        shell = self._connection._shell
        folder = shell.tmpdir or self._make_tmp_path()
        remote = str(self._transfer_file(str(path), shell.join_path(folder, "document.bundle")))
        self._fixup_perms2((folder, remote))
        return remote
