# SPDX-License-Identifier: GPL-3.0-or-later
"""``pipeline list``, ``rollback``, ``gc``, ``sweep``, ``adopt`` and ``detach`` of the command line."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping

from . import engine, pipeline_engine, show
from .gather import gather, read_pipeline, site_profiles
from .pipeline.garbage import KEEP
from .profile_verbs import Verb

OK, DIFFERS = 0, 2
_SHOWN_DIGITS = 12


def add(actions: Any, verb: Verb) -> None:
    """``actions`` are those of the group ``pipeline``."""
    verb(actions, "list", _list, "every pipeline of this node: its generations, its NICs, and what belongs to none")
    going = _check(verb(actions, "rollback", _rollback, "publish an earlier generation at once, with the rows it has"))
    going.add_argument("pipeline", metavar="NAME")
    going.add_argument("generation", nargs="?", help="its name or the beginning of it; else the one published before")
    sweeping = _check(verb(actions, "gc", _gc, "remove generations that nobody needs, and what was never completed"))
    sweeping.add_argument(
        "--keep", type=_count, default=KEEP, metavar="N", help=f"generations to keep beside the one that runs ({KEEP})"
    )
    over = _check(verb(actions, "sweep", _sweep, "take entries whose time is over out of a pipeline's state"))
    over.add_argument("pipeline", metavar="NAME")
    taking = _check(
        verb(actions, "adopt", _adopt, "take over the program that someone else has attached, without a gap")
    )
    taking.add_argument("nic", metavar="NIC")
    taking.add_argument(
        "manifest", metavar="MANIFEST", help="of the pipeline that follows it: it gets the maps by name"
    )
    leaving = _check(
        verb(actions, "detach", _detach, "take a pipeline off its NICs, and with the last one off the node")
    )
    leaving.add_argument("pipeline", metavar="NAME")
    leaving.add_argument("nic", nargs="*", help="only these; without any, all that carry it")


def _check(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--check", action="store_true", help="only say what it would do; exit code 2 if anything")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1000")
    return number


def _list(options: argparse.Namespace) -> int:
    _print(options, pipeline_engine.listing(), listing)
    return OK


def _rollback(options: argparse.Namespace) -> int:
    bundle = gather([], site_profiles(options.profiles_path), Path.cwd())
    return _changed(options, pipeline_engine.rolled_back(options.pipeline, options.generation, bundle, options.check))


def _detach(options: argparse.Namespace) -> int:
    return _changed(options, pipeline_engine.detached(options.pipeline, options.nic, options.check))


def _adopt(options: argparse.Namespace) -> int:
    name = read_pipeline(options.manifest, Path.cwd()).manifest.name
    pipelines = [{"name": name, "manifest": options.manifest}]
    bundle = gather(pipelines, site_profiles(options.profiles_path), Path.cwd())
    nic = {"name": options.nic, "pipeline": name, "foreign": "adopt", "profile_tuning": False}
    return _changed(options, engine.converge({"nics": [nic], "pipelines": pipelines}, bundle, options.check))


def _gc(options: argparse.Namespace) -> int:
    result = pipeline_engine.collected(options.keep, options.check)
    _print(options, result, _collected)
    return DIFFERS if options.check and result["changed"] else OK


def _sweep(options: argparse.Namespace) -> int:
    result = pipeline_engine.swept(options.pipeline, options.check)
    _print(options, result, _swept)
    return DIFFERS if options.check and result["changed"] else OK


def _changed(options: argparse.Namespace, result: Dict[str, Any]) -> int:
    _print(options, result, show.plan if options.check else show.applied)
    return DIFFERS if options.check and result["changed"] else OK


def _print(options: argparse.Namespace, data: Dict[str, Any], text: Callable[[Mapping[str, Any]], str]) -> None:
    print(json.dumps(data, indent=2, sort_keys=True) if options.json else text(data))


def _collected(data: Mapping[str, Any]) -> str:
    return "\n".join([*data["removed"], *data["orphans"]]) or "Nothing to remove."


def _swept(data: Mapping[str, Any]) -> str:
    told = [f"{name}: {each['removed']} of {each['visited']} were over" for name, each in data["maps"].items()]
    return "\n".join(told) or "No map of this pipeline says when its entries are over."


def listing(data: Mapping[str, Any]) -> str:
    lines: List[str] = []
    for pipeline in data["pipelines"]:
        nics = ", ".join(_nic(nic) for nic in pipeline["nics"]) or "no NIC"
        lines.append(f"{pipeline['name']}: {_how(pipeline['attach'])}, on {nics}")
        lines += [f"  {_generation(each)}" for each in pipeline["generations"]]
    lines += [f"orphan: {orphan}" for orphan in data["orphans"]]
    return "\n".join(lines) or "No pipeline is loaded."


def _how(attach: str) -> str:
    return {"root": "behind a root", "direct": "attached directly"}.get(attach, "without its root")


def _nic(nic: Mapping[str, Any]) -> str:
    aside = " (dead link)" if nic["dead"] else f" ({nic['runs']})" if nic["runs"] != "root" else ""
    return f"{nic['name']}{aside}"


def _generation(said: Mapping[str, Any]) -> str:
    mark = "*" if said["published"] else "-" if said["previous"] else " "
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(said["loaded_at"])) if said["loaded_at"] else "?"
    pending = f", still handing over {', '.join(said['pending'])}" if said["pending"] else ""
    told = f"version {said['version'] or '?'}, loaded {when} by {said['loaded_by'] or '?'}"
    return f"{mark} {said['generation'][:_SHOWN_DIGITS]}  {told}{pending}"
