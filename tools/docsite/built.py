# SPDX-License-Identifier: GPL-3.0-or-later
"""What the strict build does not see: pages that fetch something from elsewhere, and fences that became text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

FETCHED = re.compile(r"""<(?:script|img|iframe|source)\b[^>]*\bsrc="?(?P<from>(?:https?:)?//[^"\s>]+)""", re.I)
LINKED = re.compile(
    r"""<link\b[^>]*\brel="?(?:stylesheet|preconnect|icon)\b[^>]*\bhref="?(?P<from>(?:https?:)?//[^"\s>]+)"""
)
CODE = re.compile(r"<(pre|code)\b.*?</\1>", re.S)


def faults(site: Path) -> Iterator[str]:
    """Sentences, one for each fault."""
    for path in sorted(site.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(site)
        for found in [*FETCHED.finditer(text), *LINKED.finditer(text)]:
            yield f"{name} fetches {found['from']}; the site has to do without a network."
        if "```" in CODE.sub("", text):
            yield f"{name} shows a fence as text. Words behind ``` are: the language, title, run, shown, hardware."
