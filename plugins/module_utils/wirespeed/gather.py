# SPDX-License-Identifier: GPL-3.0-or-later
"""Collect what a node will need, where the files are: profiles, manifests and compiled objects.

Runs on a control node and in the command line; never on an Ansible target.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from . import bundle
from .config import document as documents
from .config.compiled import Compiled
from .errors import BadInput, Place
from .model.intent import PASS
from .packaged import unpacked
from .pipeline.manifest import load_manifest
from .pipeline.source import PipelineSource
from .pipeline.support import Support
from .profiles.load import load

HERE = Path(__file__).resolve().parent
BUILT_IN_PROFILES = HERE / "profiles"
BUILT_IN_OBJECTS = HERE / "objects"
TRACERS = ("trace", "trace_frags", "trace_fexit")
PROBES = ("xdp_errors", "late")
SITE_PROFILES = Path("/etc/wirespeed/profiles")


def gather(pipelines: Sequence[Mapping[str, Any]], profiles_path: Sequence[str], relative_to: Path) -> Dict[str, Any]:
    """A bundle for one node. ``pipelines`` are the intent's entries; their ``manifest`` is a built-in
    name or a path, relative to ``relative_to``. Site profiles come after, and so win over, built-in ones.
    """
    directories: List[Path] = [BUILT_IN_PROFILES, *(relative_to / path for path in profiles_path)]
    sources = [
        read_pipeline(str(entry.get("manifest") or entry.get("name") or ""), relative_to)
        for entry in pipelines
        if isinstance(entry, Mapping)
    ]
    return bundle.dump(load(directories), built_in_support() if sources else Support(), sources)


def built_in_support() -> Support:
    """Raises :class:`BadInput` when the package was built without its objects."""
    return Support.of(
        {name: _read(unpacked(BUILT_IN_OBJECTS / f"{name}.bpf.o"), Place("built in")) for name in Support().parts}
    )


def built_in_tracers() -> Dict[str, bytes]:
    """By name; what ``trace`` loads. Raises :class:`BadInput` when the package was built without its objects."""
    return {name: built_in_object(name) for name in TRACERS}


def built_in_probes() -> Dict[str, bytes]:
    """By name; what ``diagnose`` loads. Raises :class:`BadInput` when the package was built without its objects."""
    return {name: built_in_object(name) for name in PROBES}


def built_in_object(name: str) -> bytes:
    """``NAME.bpf.o``. Raises :class:`BadInput` when the package was built without it."""
    return _read(unpacked(BUILT_IN_OBJECTS / f"{name}.bpf.o"), Place("built in"))


def pipelines_of(intent: Mapping[str, Any]) -> List[Mapping[str, Any]]:
    """The entries that a node needs for this intent, not yet checked: with the built-in one for redirect targets."""
    entries = [entry for entry in intent.get("pipelines") or () if isinstance(entry, Mapping)]
    redirects = any(isinstance(nic, Mapping) and nic.get("redirect_to") for nic in intent.get("nics") or ())
    if redirects and PASS not in [entry.get("name") for entry in entries]:
        entries.append({"name": PASS})
    return entries


def site_profiles(paths: Sequence[str]) -> List[str]:
    """Directories that lie over the built-in profiles, weakest first: this machine's, then those given."""
    here = [str(SITE_PROFILES)] if SITE_PROFILES.is_dir() else []
    return here + [str(Path(path).resolve()) for path in paths]


def read_pipeline(name: str, relative_to: Path) -> PipelineSource:
    """A manifest and the object that lies beside it. Raises :class:`BadInput`."""
    path = manifest_path(name, relative_to)
    manifest = load_manifest(path)
    code = path.parent / manifest.object
    return PipelineSource(manifest, _read(code, Place(str(path))), place=Place(str(code)))


def compiled(path: Path, manifest: Optional[str] = None) -> Compiled:
    """A document with all its files, for the pipeline that it names, or whose ``manifest`` is given as in an intent.

    Paths are relative to the document. Raises :class:`BadInput`.
    """
    document = documents.read(path)
    try:
        source = read_pipeline(manifest or document.pipeline, path.parent)
    except BadInput as mistake:
        if manifest is None and mistake.field == "pipelines.manifest":
            raise BadInput(document.place, "pipeline", mistake.detail, mistake.remedy) from None
        raise
    return documents.compile_document(document, source.manifest.name, source.manifest.config, source.tables)


def _read(code: Path, wanted_by: Place) -> bytes:
    try:
        return code.read_bytes()
    except OSError as error:
        raise BadInput(
            wanted_by,
            "object",
            f"{code.name!r} cannot be read: {error.strerror} ({code}).",
            "Compile the object, or correct its name in the manifest. The built-in ones are made by 'make bpf'.",
        ) from None


def manifest_path(name: str, relative_to: Path) -> Path:
    if "/" in name or name.endswith((".yml", ".yaml")):
        path = relative_to / name
        hint = "Give a path to a NAME.pipeline.yml file."
    else:
        path = unpacked(BUILT_IN_OBJECTS) / f"{name}.pipeline.yml"
        known = sorted(each.name[: -len(".pipeline.yml")] for each in path.parent.glob("*.pipeline.yml"))
        hint = f"Built-in pipelines: {', '.join(known) or 'none'}; any other is named by the path of its manifest."
    if not path.is_file():
        raise BadInput(Place("intent"), "pipelines.manifest", f"there is no pipeline {name!r} ({path}).", hint)
    return path
