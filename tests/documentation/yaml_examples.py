# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds out what a YAML example is and holds it against what its reader would: schema, specification or parser."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import re
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Tuple

import jsonschema
import yaml

from wirespeed import cli
from wirespeed.errors import Place, WirespeedError
from wirespeed.gather import BUILT_IN_PROFILES
from wirespeed.model.intent import parse
from wirespeed.profiles.load import load

from . import specs
from .page import Block

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "plugins/module_utils/wirespeed"
# Keywords of tasks that stand beside the module; whatever else has a dot is a module.
DOTTED = re.compile(r"[a-z_]+\.[a-z_]+\.[a-z_]+")
ACTIONS_OF_OTHERS = ("ansible.", "community.")
# Files of other programs that a page may have the reader write.
OF_OTHERS = {"scrape_configs", "rule_files", "groups", "services", "version", "images", "dependencies", "on"}
OF_OTHERS |= {"global", "receivers", "route"}
WEB = {"basic_auth_users", "tls_server_config"}
PLAY, INVENTORY = {"hosts", "import_playbook"}, {"hosts", "vars", "children"}


def mistakes(block: Block) -> List[str]:
    """Sentences. Empty where all is right; a block with the word ``shown`` is only parsed."""
    try:
        documents = [each for each in yaml.safe_load_all(block.text) if each is not None]
    except yaml.YAMLError as error:
        return [f"{block.place}: is no YAML: {error}"]
    if "shown" in block.words:
        return []
    return [f"{block.place}: {text}" for document in documents for text in _mistakes(document)]


def _mistakes(document: Any) -> List[str]:
    for is_it, judge in KINDS:
        if is_it(document):
            return list(judge(document))
    keys = sorted(document) if isinstance(document, dict) else type(document).__name__
    remedy = (
        "Give it the keys of an intent, manifest, profile, document, inventory, play or task; or say ```yaml shown."
    )
    return [f"nobody knows what this is ({keys}), so nothing checks it. {remedy}"]


def _keys(document: Any) -> "set[str]":
    return set(document) if isinstance(document, dict) else set()


def _is_list_of(document: Any, keys: "set[str]") -> bool:
    return isinstance(document, list) and bool(document) and all(_keys(each) & keys for each in document)


def _is_tasks(document: Any) -> bool:
    return isinstance(document, list) and bool(document) and all(_module(each) for each in document)


def _module(task: Any) -> str:
    return next((key for key in _keys(task) if DOTTED.fullmatch(str(key))), "")


def _plays(document: List[Any]) -> Iterator[str]:
    for play in document:
        for section in ("pre_tasks", "tasks", "post_tasks", "handlers"):
            yield from _tasks(play.get(section) or [])
        yield from _vars(play.get("vars") or {})
        for role in play.get("roles") or []:
            said = role if isinstance(role, dict) else {"role": role}
            yield from _role(said["role"], said.get("vars") or {})


def _role(name: str, variables: Mapping[str, Any]) -> Iterator[str]:
    if name.startswith(specs.OURS):
        short = name[len(specs.OURS) :]
        own = {key: value for key, value in variables.items() if key.startswith(f"{short}_")}
        yield from (f"{key} is no variable of role {name}" for key in sorted(set(variables) - set(own)))
        required = {key for key, each in _known_options("role", short).items() if each.get("required")}
        if required <= set(own):
            yield from specs.mistakes("role", short, own)
        else:
            yield from (text for text in specs.mistakes("role", short, own) if "missing required" not in text)


def _known_options(kind: str, name: str) -> Dict[str, Any]:
    try:
        return specs.spec(kind, name)
    except KeyError:
        return {}


def _tasks(document: List[Any]) -> Iterator[str]:
    for task in document:
        if "block" in task:
            for section in ("block", "rescue", "always"):
                yield from _tasks(task.get(section) or [])
            continue
        module = _module(task)
        if module.startswith(specs.OURS):
            yield from specs.mistakes("module", module[len(specs.OURS) :], task[module] or {})
        elif module in ("ansible.builtin.include_role", "ansible.builtin.import_role"):
            yield from _role(task[module]["name"], task.get("vars") or {})
        elif not module.startswith(ACTIONS_OF_OTHERS):
            yield f"the task {task.get('name')!r} names no module in full"


def _inventory(document: Mapping[str, Any]) -> Iterator[str]:
    for group in document.values():
        yield from _vars(group.get("vars") or {})
        for variables in (group.get("hosts") or {}).values():
            yield from _vars(variables or {})
        yield from _inventory(group.get("children") or {})


def _vars(variables: Mapping[str, Any]) -> Iterator[str]:
    """Those of the playbooks must be known to them; NICs and pipelines are an intent."""
    for name in variables:
        if name.startswith("wirespeed_") and name not in _known_variables():
            yield f"{name} is a variable of no playbook"
    named = {key: variables.get(f"wirespeed_{key}") for key in ("nics", "pipelines")}
    intent = {key: value for key, value in named.items() if value is not None and not specs.is_template(value)}
    if intent:
        yield from _intent(intent)


@functools.cache
def _known_variables() -> "frozenset[str]":
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob("playbooks/*.yml")]
    return frozenset(re.findall(r"\bwirespeed_\w+", "\n".join(texts)))


def _is_vars(document: Any) -> bool:
    """Of a group or host: all names are those of variables of ours."""
    roles = tuple(f"{path.name}_" for path in (ROOT / "roles").iterdir())
    return bool(_keys(document)) and all(str(key).startswith(("wirespeed_", *roles)) for key in document)


def _intent(document: Mapping[str, Any]) -> Iterator[str]:
    """An example may leave out the pipelines that its NICs carry."""
    named = {nic.get("pipeline") for nic in document.get("nics") or [] if isinstance(nic, dict)} - {None}
    known = {each.get("name") for each in document.get("pipelines") or []}
    filled = [*(document.get("pipelines") or []), *({"name": name} for name in sorted(named - known))]
    try:
        parse({**document, "pipelines": filled}, Place("intent"))
    except WirespeedError as error:
        yield str(error)


def _tuning(document: Mapping[str, Any]) -> Iterator[str]:
    yield from _intent({"nics": [{"name": "example", **document}]})


def _profile(document: Mapping[str, Any]) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="wirespeed-example-") as folder:
        Path(folder, "example.yml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        try:
            load([BUILT_IN_PROFILES, folder])
        except WirespeedError as error:
            yield str(error)


@functools.cache
def manifest_schema() -> Dict[str, Any]:
    return dict(json.loads((ENGINE / "pipeline/manifest.schema.json").read_text(encoding="utf-8")))


def _manifest(document: Mapping[str, Any]) -> Iterator[str]:
    yield from _against(manifest_schema(), document)


def _web(document: Mapping[str, Any]) -> Iterator[str]:
    yield from _against(json.loads((ENGINE / "exporter/web_config.schema.json").read_text(encoding="utf-8")), document)


def _part_of_a_manifest(document: Mapping[str, Any]) -> Iterator[str]:
    whole = {key: value for key, value in manifest_schema().items() if key not in ("required", "dependentRequired")}
    yield from _against(whole, document)


@functools.cache
def _document_schema(pipeline: str) -> Dict[str, Any]:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = cli.main(["config", "schema", pipeline])
    assert code == 0, said.getvalue()
    return dict(json.loads(said.getvalue()))


def _document(document: Mapping[str, Any]) -> Iterator[str]:
    """Only pipelines that come along have a schema here."""
    pipeline = str(document["pipeline"])
    if (ENGINE / f"objects/{pipeline}.pipeline.yml").exists():
        yield from _against(_document_schema(pipeline), document)


def _against(schema: Mapping[str, Any], document: Any) -> Iterator[str]:
    for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"


def _nothing(_document: Any) -> Iterator[str]:
    yield from ()


KINDS: List[Tuple[Callable[[Any], bool], Callable[[Any], Iterator[str]]]] = [
    (lambda each: _is_list_of(each, PLAY), _plays),
    (_is_tasks, _tasks),
    (lambda each: {"profile", "match"} <= _keys(each), _profile),
    (lambda each: {"manifest", "entry"} <= _keys(each), _manifest),
    (lambda each: {"pipeline", "tables"} <= _keys(each), _document),
    (lambda each: bool(_keys(each)) and _keys(each) <= {"nics", "pipelines"}, _intent),
    (lambda each: _keys(each) == {"tuning"}, _tuning),
    (_is_vars, _vars),
    (lambda each: bool(_keys(each)) and _keys(each) <= set(manifest_schema()["properties"]), _part_of_a_manifest),
    (lambda each: bool(_keys(each)) and all(_keys(group) & INVENTORY for group in each.values()), _inventory),
    (lambda each: bool(_keys(each)) and _keys(each) <= WEB, _web),
    (lambda each: bool(_keys(each) & OF_OTHERS), _nothing),
]
