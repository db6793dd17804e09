# SPDX-License-Identifier: GPL-3.0-or-later
"""The stored desired state: what a boot with no control node brings back.

``<state>/desired.json`` is :class:`~.model.stored.Stored` as JSON; the objects and profile sets that it names are
beside it, once each, as ``<state>/desired/<SHA-256>``. Written after them and whole, so that a power cut leaves the
state before or after. Who writes holds the node's lock.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from . import tuning_history
from .errors import WirespeedError
from .model.step import Step
from .model.stored import FORMAT, Stored, StoredNic, StoredPipeline
from .model.tuning_history import NicBefore, changed, touched
from .pipeline.pins import Paths
from .pipeline.records import write_file

Parts = Mapping[str, bytes]
"""What is kept beside the state, by its SHA-256."""


class UnreadableState(WirespeedError):
    """The stored state is ``newer`` than this version, or damaged."""

    def __init__(self, problem: str, remedy: str, newer: bool = False) -> None:
        super().__init__(problem, remedy)
        self.newer = newer


def path(paths: Paths) -> Path:
    return paths.state / "desired.json"


def part_path(paths: Paths, digest: str) -> Path:
    return paths.state / "desired" / digest


def read(paths: Paths) -> Optional[Stored]:
    """None where nothing is stored. Raises :class:`UnreadableState`."""
    file = path(paths)
    try:
        data = json.loads(file.read_bytes())
        found = data["format"]
        if isinstance(found, int) and found > FORMAT:
            raise UnreadableState(
                f"{file} was written by a newer version of Wirespeed (format {found}; this one reads up to {FORMAT}).",
                f"Upgrade Wirespeed on this node, or remove {file} and run the playbook again.",
                newer=True,
            )
        if found != FORMAT:
            raise ValueError(f"its format is {found!r}")
        return Stored.from_json(data)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableState(
            f"{file} cannot be read: {error.strerror}.", "Mend the file system or its mode."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(file, f"{type(error).__name__}: {error}") from None


def _damaged(file: Path, how: str) -> UnreadableState:
    return UnreadableState(
        f"{file} is damaged, so what this node should be is not known ({how}).",
        "Run the playbook again, or 'wirespeed apply' with the intent: that stores it anew.",
    )


def of_run(
    intent: Mapping[str, Any], bundle: Mapping[str, Any], found: Sequence[Sequence[str]]
) -> Tuple[Stored, Parts]:
    """What one run asked. ``found`` are the names of the NICs that each entry of the intent stood for."""
    parts: Dict[str, bytes] = {}
    profiles = _keep(parts, json.dumps(bundle["profiles"], sort_keys=True, separators=(",", ":")).encode())
    asked = {each["name"]: each for each in intent.get("pipelines") or ()}
    nics = [StoredNic(_given(entry), tuple(names), profiles) for entry, names in zip(intent.get("nics") or (), found)]
    pipelines = [_pipeline(item, asked.get(item["manifest"]["name"]), parts) for item in bundle.get("pipelines", ())]
    shared = bundle.get("support", {}) if pipelines else {}
    support = {name: _keep(parts, _decoded(code)) for name, code in shared.items()}
    return Stored(tuple(nics), tuple(pipelines), support), parts


def _pipeline(item: Mapping[str, Any], asked: Optional[Mapping[str, Any]], parts: Dict[str, bytes]) -> StoredPipeline:
    digest = _keep(parts, _decoded(item["object"]))
    return StoredPipeline({**item, "object": digest}, None if asked is None else _given(asked))


def _given(entry: Mapping[str, Any]) -> Dict[str, Any]:
    """Without what was left out, and without the control node's path of a manifest."""
    return {key: value for key, value in entry.items() if value is not None and key != "manifest"}


def keep(
    paths: Paths,
    intent: Mapping[str, Any],
    bundle: Mapping[str, Any],
    found: Sequence[Sequence[str]],
    steps: Sequence[Step] = (),
) -> List[str]:
    """Lay a successful run over what is stored. Returns warnings: the node is as wanted, whatever becomes of a file.

    Where ``steps`` or what was asked are another version of the tuning, what was before is kept for a rollback.
    """
    if not intent.get("nics") and not intent.get("pipelines"):
        return []
    later, parts = of_run(intent, bundle, found)
    warnings: List[str] = []
    try:
        earlier = read(paths)
    except UnreadableState as error:
        if error.newer:
            return [f"What this run asked is not stored for the next boot: {error}"]
        warnings.append(f"{error.problem} It was begun anew with what this run asked; run other playbooks again too.")
        earlier = None
    now = (earlier or Stored()).merged(later)
    try:
        _note(paths, changed(earlier or Stored(), now, steps))
    except WirespeedError as error:
        warnings.append(f"The tuning before this run is not kept for a rollback: {error}")
    try:
        _write(paths, earlier, now, parts)
    except WirespeedError as error:
        warnings.append(f"What this run asked is not stored for the next boot: {error}")
    return warnings


def keep_touched(paths: Paths, steps: Sequence[Step]) -> List[str]:
    """After a run that stores nothing: what its settings were before, for a rollback. Returns warnings."""
    try:
        _note(paths, touched(read(paths) or Stored(), steps))
    except WirespeedError as error:
        return [f"The tuning before this run is not kept for a rollback: {error}"]
    return []


def _note(paths: Paths, nics: Mapping[str, NicBefore]) -> None:
    if nics:
        tuning_history.write(paths, tuning_history.read(paths).noted(nics, time.time()))


def put_back(
    paths: Paths,
    nics: Mapping[str, Tuple[Optional[Mapping[str, Any]], str]],
    before: Mapping[str, NicBefore],
    version: int,
    at: float,
) -> None:
    """After a rollback of the tuning to ``version``: the next boot asks for these entries, with these profile sets.

    ``before`` is how the NICs were until then. Raises :class:`WirespeedError`.
    """
    earlier = read(paths)
    now = earlier or Stored()
    for name, (entry, profiles) in nics.items():
        now = now.retuned(name, entry, profiles)
    if now == earlier and not any(each.values for each in before.values()):
        return  # there already
    tuning_history.write(paths, tuning_history.read(paths).noted(before, at, version))
    if earlier is not None or now.nics:
        _write(paths, earlier, now, {})


def forget(paths: Paths, nics: Sequence[str] = (), pipelines: Sequence[str] = ()) -> None:
    """A next boot attaches nothing to these NICs (by name), and does not load these pipelines. Tuning stays.

    What is not stored is no error. Raises :class:`WirespeedError` for a state that cannot be read or written.
    """
    earlier = read(paths)
    if earlier is not None:
        _write(paths, earlier, earlier.without(nics, pipelines), {})


def replace_pipeline(paths: Paths, name: str, source: Mapping[str, Any], tables: Mapping[str, Sequence[str]]) -> None:
    """A next boot loads this source with these rows in place of the pipeline's: for a rollback.

    ``source`` is as an item of a bundle's ``pipelines``: the manifest, with its constants as they were loaded, and the
    object in Base64. Does nothing where the pipeline is not stored. Raises :class:`WirespeedError`.
    """
    earlier = read(paths)
    if earlier is None or name not in [pipeline.name for pipeline in earlier.pipelines]:
        return
    parts: Dict[str, bytes] = {}
    asked = {"name": name, "tables": {table: list(rows) for table, rows in tables.items()}}
    _write(paths, earlier, earlier.replaced(_pipeline(source, asked, parts)), parts)


def _write(paths: Paths, earlier: Optional[Stored], now: Stored, parts: Parts) -> None:
    """Parts first and the state last; what nobody names any more goes after that."""
    for digest in now.digests:
        if digest in parts and not _holds(part_path(paths, digest), parts[digest]):
            write_file(part_path(paths, digest), parts[digest])
    if now != earlier:
        write_file(path(paths), json.dumps(now.to_json(), sort_keys=True, separators=(",", ":")).encode())
    named = {*now.digests, *tuning_history.read(paths).digests}
    for file in part_path(paths, "").glob("*"):
        if file.name not in named:
            file.unlink()


def _holds(file: Path, data: bytes) -> bool:
    try:
        return file.read_bytes() == data
    except OSError:
        return False


def bundle_of(paths: Paths, stored: Stored) -> Dict[str, Any]:
    """The bundle of one of :meth:`Stored.batches`. Raises :class:`UnreadableState` for a part that is not as it was."""
    profiles = {nic.profiles for nic in stored.nics}
    return {
        "profiles": json.loads(part(paths, profiles.pop())) if profiles else {"format": 1, "documents": []},
        "support": {name: _encoded(part(paths, digest)) for name, digest in stored.support.items()},
        "pipelines": [
            {**pipeline.bundled, "object": _encoded(part(paths, str(pipeline.bundled["object"])))}
            for pipeline in stored.pipelines
        ],
    }


def part(paths: Paths, digest: str) -> bytes:
    """Raises :class:`UnreadableState`."""
    file = part_path(paths, digest)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise _damaged(file, error.strerror or str(error)) from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise _damaged(file, "its content does not have the SHA-256 that is its name")
    return data


def _keep(parts: Dict[str, bytes], data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    parts[digest] = data
    return digest


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decoded(text: str) -> bytes:
    """Of a bundle that the engine has parsed already."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise WirespeedError(f"An object is not Base64: {error}.") from None
