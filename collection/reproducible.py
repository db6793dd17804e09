# SPDX-License-Identifier: GPL-3.0-or-later
"""The artifact in its normal form: the same content always gives the same bytes.

``ansible-galaxy collection build`` lists files in the order in which the file system has them, and writes the time of
the build and the files' own times. Here the files are in the order of their names, all as old as the release, owned by
root; nothing that ships is changed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Dict, Iterator, Tuple

NO_TIME = 315532800  # 1980-01-01, the earliest that a zip file knows, too: where nothing says how old the content is
MANIFEST, FILES = "MANIFEST.json", "FILES.json"


class NotOurs(Exception):
    """One sentence: the archive is no artifact of a collection."""


def epoch() -> int:
    """Seconds since 1970 that SOURCE_DATE_EPOCH says (reproducible-builds.org). Raises NotOurs for other words."""
    said = os.environ.get("SOURCE_DATE_EPOCH", str(NO_TIME))
    if not said.isdecimal():
        raise NotOurs(f"SOURCE_DATE_EPOCH is {said!r}; it has to be seconds since 1970-01-01, a whole number.")
    return int(said)


def normalise(artifact: Path, when: int) -> None:
    """Writes ``artifact`` anew in its normal form. Raises NotOurs."""
    data = normal_form(artifact.read_bytes(), when)
    draft = artifact.with_name(f".{artifact.name}.draft")
    draft.write_bytes(data)
    draft.replace(artifact)


def normal_form(data: bytes, when: int) -> bytes:
    packed = io.BytesIO()
    # An own compressor, because tarfile's writes the time and the name into gzip's header.
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as compressed:
        with tarfile.open(fileobj=compressed, mode="w", format=tarfile.GNU_FORMAT) as out:
            for member, content in _members(data):
                member.mtime, member.uid, member.gid, member.uname, member.gname = when, 0, 0, "", ""
                out.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _members(data: bytes) -> Iterator[Tuple[tarfile.TarInfo, bytes]]:
    """In their order: the two lists first, as ansible-galaxy has them, the rest by name."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        found = {member.name: member for member in tar.getmembers()}
        lists = _lists(*(_content(tar, found, name) for name in (MANIFEST, FILES)))
        for name in (*lists, *sorted(found.keys() - lists.keys())):
            content = lists[name] if name in lists else _content(tar, found, name)
            found[name].size = len(content)
            yield found[name], content


def _content(tar: tarfile.TarFile, found: Dict[str, tarfile.TarInfo], name: str) -> bytes:
    if name not in found:
        raise NotOurs(f"The artifact has no {name}.")
    file = tar.extractfile(found[name])
    return b"" if file is None else file.read()


def _lists(manifest: bytes, files: bytes) -> Dict[str, bytes]:
    """Both as ansible-galaxy writes them; the one holds the digest of the other."""
    listed, told = json.loads(files), json.loads(manifest)
    listed["files"].sort(key=lambda entry: str(entry["name"]))
    ordered = json.dumps(listed, indent=True).encode()
    told["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(ordered).hexdigest()
    return {MANIFEST: json.dumps(told, indent=True).encode(), FILES: ordered}
