# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of modules, other plugins and roles from what ``ansible-doc --json`` says of the staged collection."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping

from antsibull_docs_parser import dom

from .markup import OURS, markdown, table

BIN = Path(sys.executable).parent
EXAMPLE = re.compile(r"^```yaml\n.*?^```$", re.S | re.M)
PLUGINS = ("callback", "filter", "lookup")


def pages(collections: Path) -> Dict[str, str]:
    """By file name. ``collections``: what ANSIBLE_COLLECTIONS_PATH needs. CalledProcessError: its reason is printed."""
    made: Dict[str, str] = {}
    for name, shown in _asked(collections, "module").items():
        made[f"module_{_short(name)}.md"] = plugin_page("module", name, shown)
    for kind in PLUGINS:
        for name, shown in _asked(collections, kind).items():
            made[f"plugin_{_short(name)}.md"] = plugin_page(kind, name, shown)
    for name, shown in _asked(collections, "role").items():
        readme = collections / "ansible_collections/wirespeed/xdp/roles" / _short(name) / "README.md"
        text = readme.read_text(encoding="utf-8") if readme.exists() else ""
        made[f"role_{_short(name)}.md"] = role_page(name, shown, text)
    return made


def _short(name: str) -> str:
    return name[len(OURS) :]


def _asked(collections: Path, kind: str) -> Dict[str, Any]:
    settings = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1"}
    doc = [str(BIN / "ansible-doc"), "--json", "-t", kind]

    def ask(*arguments: str) -> Dict[str, Any]:
        done = subprocess.run([*doc, *arguments], env=settings, stdout=subprocess.PIPE, text=True, check=True)
        return dict(json.loads(done.stdout))

    names = sorted(ask("--list", OURS.rstrip(".")))
    return ask(*names) if names else {}


def plugin_page(kind: str, name: str, shown: Mapping[str, Any]) -> str:
    doc = shown["doc"]
    plugin = dom.PluginIdentifier(fqcn=name, type=kind)
    lines = [f"# {name}", "", f"*{kind}, since {doc.get('version_added', '0.1.0')}.* {doc['short_description']}.", ""]
    lines += [markdown(doc["description"], plugin), ""]
    if doc.get("options"):
        lines += ["## Options", "", *_options(doc["options"], plugin)]
    if doc.get("attributes"):
        rows = [
            [
                f"`{key}`",
                each.get("support") or "",
                markdown(each.get("details") or each.get("description") or "", plugin),
            ]
            for key, each in doc["attributes"].items()
        ]
        lines += ["## Attributes", "", *table(["attribute", "support", ""], rows)]
    if doc.get("notes"):
        lines += ["## Notes", "", *(f"- {markdown(note, plugin)}" for note in doc["notes"]), ""]
    if shown.get("examples"):
        lines += ["## Examples", "", "```yaml", shown["examples"].strip(), "```", ""]
    if shown.get("return"):
        lines += ["## Returns", "", *_returned(shown["return"], plugin)]
    return "\n".join(lines)


def role_page(name: str, shown: Mapping[str, Any], readme: str) -> str:
    """The example is the one of the role's README."""
    lines = [f"# {name}", ""]
    for entry, point in shown["entry_points"].items():
        if entry != "main":
            lines += [f"## Entry point `{entry}`", ""]
        lines += [f"*role.* {point['short_description']}.", ""]
        if point.get("description"):
            lines += [markdown(point["description"]), ""]
        lines += ["## Variables", "", *_options(point.get("options") or {}, None)]
    example = EXAMPLE.search(readme)
    if example:
        lines += ["## Example", "", example[0], ""]
    return "\n".join(lines)


def _options(options: Mapping[str, Any], plugin: Any) -> List[str]:
    return table(["option", "type", "default", ""], list(_option_rows(options, plugin, "")))


def _option_rows(options: Mapping[str, Any], plugin: Any, above: str) -> Iterator[List[str]]:
    for name in sorted(options, key=lambda each: (not options[each].get("required"), each)):
        option = options[name]
        text = markdown(option.get("description", ""), plugin)
        if option.get("choices"):
            text += "\n\n" + _choices(option["choices"], plugin)
        yield [f"`{above}{name}`", _type(option), _default(option), text]
        if option.get("options") or option.get("suboptions"):
            within = option.get("options") or option["suboptions"]
            many = "[]" if option.get("type") == "list" else ""
            yield from _option_rows(within, plugin, f"{above}{name}{many}.")


def _choices(choices: Any, plugin: Any) -> str:
    """A list, or what each choice means."""
    if isinstance(choices, dict):
        return "\n\n".join(f"`{_value(each)}`: {markdown(meaning, plugin)}" for each, meaning in choices.items())
    return "One of: " + ", ".join(f"`{_value(each)}`" for each in choices) + "."


def _type(option: Mapping[str, Any]) -> str:
    kind = str(option.get("type") or "str")
    return f"{kind} of {option['elements']}" if option.get("elements") else kind


def _default(option: Mapping[str, Any]) -> str:
    if option.get("required"):
        return "**required**"
    return f"`{_value(option['default'])}`" if option.get("default") is not None else ""


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _returned(values: Mapping[str, Any], plugin: Any) -> List[str]:
    return table(["value", "type", "returned", ""], list(_return_rows(values, plugin, "")))


def _return_rows(values: Mapping[str, Any], plugin: Any, above: str) -> Iterator[List[str]]:
    for name, value in values.items():
        text = markdown(value.get("description", ""), plugin)
        yield [f"`{above}{name}`", _type(value), markdown(value.get("returned") or "", plugin), text]
        if value.get("contains"):
            many = "[]" if value.get("type") == "list" else ""
            yield from _return_rows(value["contains"], plugin, f"{above}{name}{many}.")
