# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder that mkdocs builds from: the pages of docs/ as they are, but for links that leave it."""

from __future__ import annotations

import posixpath
import re
import shutil
from pathlib import Path
from typing import Dict, Mapping

# [text](target), and not an image's; what stands in code is left alone.
LINK = re.compile(r"(?P<code>```.*?^```|`[^`\n]+`)|(?P<open>\]\()(?P<target>[^)\s]+)(?P<close>\))", re.S | re.M)
# Words behind a fence that are for tests (tests/documentation), and not for the reader.
FENCE = re.compile(r"^( *```[\w+-]+)((?: (?:run|shown|hardware|(?:title|on|held)=\"[^\"\n]*\"))+)$", re.M)
TITLE = re.compile(r' title="[^"\n]*"')
ELSEWHERE = re.compile(r"[a-z]+:|#|//")


def stage(root: Path, into: Path, made: Mapping[str, str], repository: str) -> None:
    """``made``: pages by name that have no file in the tree. ``into`` is begun anew."""
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(root / "docs", into, ignore=shutil.ignore_patterns("*.pyc"))
    pages = _pages(root, into)
    for source, page in pages.items():
        if source.endswith(".md") and not source.startswith("roles/"):
            text = (root / source).read_text(encoding="utf-8")
            (into / page).write_text(_relinked(text, source, pages, repository), encoding="utf-8")
    for name, text in made.items():
        (into / name).write_text(text, encoding="utf-8")


def _pages(root: Path, into: Path) -> Dict[str, str]:
    """Files of the tree that a link may lead to -> the page that they are on the site."""
    docs = [path.relative_to(into).as_posix() for path in into.rglob("*.md")]
    roles = [path.parent.name for path in root.glob("roles/*/README.md")]
    modules = [path.stem for path in root.glob("plugins/modules/*.py")]
    return {
        **{f"docs/{page}": page for page in docs},
        "README.md": "index.md",
        "CONTRIBUTING.md": "contributing.md",
        "CHANGELOG.md": "changelog.md",
        **{f"roles/{name}/README.md": f"role_{name}.md" for name in roles},
        **{f"plugins/modules/{name}.py": f"module_{name}.md" for name in modules},
    }


def _relinked(text: str, source: str, pages: Dict[str, str], repository: str) -> str:
    """Links to files of the tree that are no pages of the site go to the repository."""

    def one(found: "re.Match[str]") -> str:
        if found["code"] or ELSEWHERE.match(found["target"]):
            return found[0]
        path, sharp, part = found["target"].partition("#")
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if file in pages:
            here = posixpath.dirname(pages[source]) or "."
            return f"{found['open']}{posixpath.relpath(pages[file], here)}{sharp}{part})"
        if file.startswith("docs/"):
            return found[0]  # a picture of the site, or a link that the strict build refuses
        return f"{found['open']}{repository}/blob/main/{file}{sharp}{part})"

    return FENCE.sub(lambda found: found[1] + "".join(TITLE.findall(found[2])), LINK.sub(one, text))
