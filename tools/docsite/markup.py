# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's documentation markup (``O(name)``, ``M(a.b.c)``) as Markdown, and what Markdown tables need."""

from __future__ import annotations

import html
import re
from typing import Any, List, Optional, Sequence

from antsibull_docs_parser import dom
from antsibull_docs_parser.md import to_md
from antsibull_docs_parser.parser import Context, parse

OURS = "wirespeed.xdp."
CODE = re.compile(r"<code>(?:<strong>)?(?P<text>.*?)(?:</strong>)?</code>", re.S)
TARGET = re.compile(r"\]\((?P<target>(?:\\.|[^)\\])*)\)")
ESCAPE = re.compile(r"\\(.)", re.S)
NO_ESCAPE = re.compile(r"\\([^\\`*_{}\[\]()>#+\-.!])")
KINDS = {"module": "module", "role": "role"}


class _Links:
    """Where the site has the page of a module or role of this collection; others are no link."""

    def plugin_link(self, plugin: "dom.PluginIdentifier") -> Optional[str]:
        kind = KINDS.get(plugin.type, "plugin")
        return f"{kind}_{plugin.fqcn[len(OURS) :]}.md" if plugin.fqcn.startswith(OURS) else None

    def plugin_option_like_link(self, *_args: Any, **_kwargs: Any) -> Optional[str]:
        return None


def markdown(text: "str | Sequence[str]", plugin: "dom.PluginIdentifier | None" = None) -> str:
    """One paragraph of Markdown for each text. What cannot be parsed is an error of the text's author: ValueError."""
    paragraphs = [text] if isinstance(text, str) else list(text)
    context = Context(current_plugin=plugin) if plugin else Context()
    parsed = parse(paragraphs, context, errors="exception")
    text = to_md(parsed, link_provider=_Links(), par_start="", par_end="", par_sep="\n\n", par_empty="")  # type: ignore[arg-type]
    return _plainer(text)


def _plainer(text: str) -> str:
    """The parser escapes for CommonMark; mkdocs' Markdown knows fewer escapes, and none within code or links."""
    text = CODE.sub(lambda found: "`" + ESCAPE.sub(r"\1", html.unescape(found["text"])) + "`", text)
    text = TARGET.sub(lambda found: "](" + ESCAPE.sub(r"\1", found["target"]) + ")", text)
    return NO_ESCAPE.sub(r"\1", text)


def cell(text: str) -> str:
    """In a table a paragraph ends with a break, and a bar is no border."""
    return text.strip().replace("|", "\\|").replace("\n\n", "<br>").replace("\n", " ")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> List[str]:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return [*lines, *("| " + " | ".join(cell(each) for each in row) + " |" for row in rows), ""]
