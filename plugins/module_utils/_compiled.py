# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection: the engine's compiled code, kept on the node from one run to the next.

Ansible hands a module over as a zip archive of sources, and Python compiles what it imports from one, twice, each time
it runs. That was two fifths of what a run with nothing to do took of the node's processor. So the first run keeps the
code, and later ones with the very same sources take it from there. What cannot be read, is not root's alone, or is not
whole, is as if it were not there. Check mode keeps nothing.

WIRESPEED_CACHE names another folder than /var/cache/wirespeed; empty, nothing is kept.
"""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import marshal
import os
import stat
import sys
import tempfile
import zipfile
import zipimport
from types import CodeType, ModuleType
from typing import Dict, List, Optional, Sequence

PREFIX = __name__.rpartition(".")[0] + ".wirespeed"
FOLDER = "/var/cache/wirespeed"
KEPT = 8
"""Files that stay: one for each module of the collection, of a version or two; some 2 MB each."""

FORM = b"wirespeed code 1\n"
LARGEST = 32 << 20


class _Archive:
    """The archive of sources, which the modules of one run come from."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._importer = zipimport.zipimporter(path)
        with zipfile.ZipFile(path) as files:
            inside = PREFIX.replace(".", "/") + "/"
            self._entries = {entry.filename: entry for entry in files.infolist() if entry.filename.startswith(inside)}

    def file(self, module: str) -> Optional[str]:
        """The entry that a module is in; a package's ends with ``/__init__.py``."""
        name = module.replace(".", "/")
        return next((each for each in (f"{name}/__init__.py", f"{name}.py") if each in self._entries), None)

    def source(self, entry: str) -> bytes:
        return self._importer.get_data(f"{self.path}/{entry}")

    def digest(self) -> str:
        """Of the engine's sources as they are packed, and of the Python that compiles them."""
        found = hashlib.sha256(importlib.util.MAGIC_NUMBER + sys.version.encode())
        with open(self.path, "rb") as raw:
            for name, entry in sorted(self._entries.items()):
                raw.seek(entry.header_offset + 26)  # lengths of name and extra field: APPNOTE.TXT 4.3.7
                lengths = raw.read(4)
                raw.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), os.SEEK_CUR)
                found.update(f"\n{name} {entry.file_size} {entry.compress_size}\n".encode())
                found.update(raw.read(entry.compress_size))
        return found.hexdigest()


class _Kept(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds and loads the engine's modules: from the file in ``folder`` that has the code of these very sources."""

    def __init__(self, archive: _Archive, folder: str) -> None:
        self._archive = archive
        self._path = os.path.join(folder, f"{archive.digest()}.code")
        self._codes: Dict[str, CodeType] = _read(self._path)
        self._new = False

    # Not left to the archive's own finder: that compiles a module already to tell where it is
    # (zipimport.py, zipimporter.get_filename).
    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        file = self._archive.file(fullname) if fullname.startswith(PREFIX) else None
        if file is None:
            return None
        origin = f"{self._archive.path}/{file}"
        package = file.endswith("/__init__.py")
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=origin, is_package=package)
        spec.has_location = True
        if package:
            spec.submodule_search_locations = [os.path.dirname(origin)]
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Optional[ModuleType]:
        return None

    def get_source(self, fullname: str) -> str:
        """For tracebacks."""
        return self._archive.source(self._archive.file(fullname) or "").decode("utf-8")

    def get_code(self, fullname: str) -> CodeType:
        if fullname not in self._codes:
            file = self._archive.file(fullname) or ""
            self._codes[fullname] = compile(self._archive.source(file), file, "exec", dont_inherit=True)
            self._new = True
        return self._codes[fullname]

    def save(self) -> None:
        """A run is none the worse when this fails."""
        if not self._new:
            return
        try:
            _write(self._path, marshal.dumps(self._codes))
            _remove_old(os.path.dirname(self._path))
        except (OSError, ValueError):
            pass


_kept: Optional[_Kept] = None


def save() -> None:
    """Keep what this run had to compile."""
    if _kept is not None:
        _kept.save()


def _install() -> None:
    """Nothing on the control node, where the sources are files, and where no folder can be the user's alone."""
    global _kept
    archive = getattr(globals().get("__loader__"), "archive", "")
    folder = os.environ.get("WIRESPEED_CACHE", FOLDER)
    if not archive or not folder or os.geteuid() != 0:
        return
    try:
        _kept = _Kept(_Archive(archive), folder)
    except (OSError, ValueError, zipfile.BadZipFile):
        return
    sys.meta_path.insert(0, _kept)


def _read(path: str) -> Dict[str, CodeType]:
    """Empty where there is none that can be trusted."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return {}
    with os.fdopen(descriptor, "rb") as file:
        if not _own(os.fstat(descriptor)) or not _own(os.stat(os.path.dirname(path))):
            return {}
        form, digest, body = file.read(len(FORM)), file.read(32), file.read(LARGEST + 1)
    if form != FORM or len(body) > LARGEST or hashlib.sha256(body).digest() != digest:
        return {}
    found = marshal.loads(body)  # noqa: S302 - as Python does with its own .pyc files; only root can have written it
    return found if isinstance(found, dict) else {}


def _own(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o022


def _write(path: str, body: bytes) -> None:
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=folder, prefix=".draft-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(FORM + hashlib.sha256(body).digest() + body)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def _remove_old(folder: str) -> None:
    files: List[os.DirEntry[str]] = [entry for entry in os.scandir(folder) if entry.name.endswith(".code")]
    for entry in sorted(files, key=lambda entry: entry.stat().st_mtime)[:-KEPT]:
        os.unlink(entry.path)


_install()
