# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: the engine's verbs over an intent file.

Exit codes: 0 as wanted, 1 an error (nothing left half done), 2 the node is not as wanted.
"""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

from . import (
    __version__,
    boot_verbs,
    config_verbs,
    counter_verbs,
    diagnose_verbs,
    drift_verbs,
    engine,
    exporter_verbs,
    map_verbs,
    nic_verbs,
    offline,
    pipeline_verbs,
    profile_verbs,
    show,
    top_verbs,
    trace_verbs,
    tuning_verbs,
    upgrade_verbs,
    version_verbs,
)
from . import bundle as bundles
from .errors import Place, WirespeedError
from .gather import BUILT_IN_PROFILES, gather, pipelines_of, site_profiles
from .intent_file import IntentFile, read_intent
from .model.intent import parse
from .profiles.load import load

OK, ERROR, DIFFERS = 0, 1, 2
INTERRUPTED = 130  # as shells have it: 128 and the signal's number


def main(arguments: Optional[List[str]] = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        code = int(options.verb(options))
        sys.stdout.flush()
        return code
    except WirespeedError as error:
        print(f"wirespeed: {error}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt as interrupt:
        print(f"wirespeed: interrupted. {interrupt}".rstrip(), file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has had enough. What is still unwritten must not fail once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR


def _facts(options: argparse.Namespace) -> int:
    data = engine.facts(options.nic, gather([], _profiles(options), Path.cwd()), options.firmware)
    _print(options, data, show.facts)
    return OK


def _gather(options: argparse.Namespace) -> int:
    place = Place("command line")
    chosen = parse({"nics": [{"name": name} for name in options.nic]}, place)
    profiles = load([BUILT_IN_PROFILES, *site_profiles(options.profiles_path)])
    if options.facts:
        nics = offline.parsed(chosen, profiles, offline.read_facts(options.facts), place)
    else:
        nics = nic_verbs.present(chosen, profiles, place)
    _print(options, {"nics": nics}, show.gathered)
    return OK


def _plan(options: argparse.Namespace) -> int:
    if options.facts:
        return _plan_for_captured(options)
    result = _converge(options, check=True)
    _print(options, result, show.plan)
    return DIFFERS if result["steps"] else OK


def _plan_for_captured(options: argparse.Namespace) -> int:
    intent = read_intent(options.file)
    with intent.locating():
        bundle = bundles.parse(_bundle(options, intent))
        place = Place(intent.path)
        result = offline.render(parse(intent.data, place), bundle, offline.read_facts(options.facts), place)
    _print(options, result, show.rendered)
    if result["refusals"]:
        return ERROR
    return DIFFERS if result["steps"] else OK


def _apply(options: argparse.Namespace) -> int:
    _print(options, _converge(options, check=False), show.applied)
    return OK


def _verify(options: argparse.Namespace) -> int:
    planned = _converge(options, check=True)
    counted = _count(options)
    _print(options, {"deviations": planned["deviations"], **counted}, show.verified)
    return DIFFERS if planned["deviations"] or counted["findings"] else OK


def _converge(options: argparse.Namespace, check: bool) -> Dict[str, Any]:
    intent = read_intent(options.file)
    with intent.locating():
        return engine.converge(intent.data, _bundle(options, intent), check, intent.path)


def _count(options: argparse.Namespace) -> Dict[str, Any]:
    intent = read_intent(options.file)
    with intent.locating():
        bundle = _bundle(options, intent)
        return engine.counters(intent.data, bundle, False, options.window, options.min_packets, intent.path)


def _bundle(options: argparse.Namespace, intent: IntentFile) -> Dict[str, Any]:
    parse(intent.data, Place(intent.path))
    return gather(pipelines_of(intent.data), _profiles(options), Path(intent.path).resolve().parent)


def _profiles(options: argparse.Namespace) -> List[str]:
    return site_profiles(options.profiles_path)


def _print(options: argparse.Namespace, data: Dict[str, Any], text: Any) -> None:
    print(json.dumps(data, indent=2, sort_keys=True) if options.json else text(data))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wirespeed", description="Make this node's NICs ready for XDP and keep them so."
    )
    parser.add_argument("--version", action="version", version=f"wirespeed {__version__}")
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    facts = _verb(verbs, "facts", _facts, "what this node's NICs are, how they are set, what they carry")
    facts.add_argument("nic", nargs="*", help="also look at these virtual interfaces")
    facts.add_argument(
        "--firmware", action="store_true", help="also ask the vendors' tools for firmware settings (slow)"
    )
    gathering = _verb(verbs, "gather", _gather, "what NICs have, as an intent file that asks for the same")
    gathering.add_argument("nic", nargs="*", help="only these; without any, all physical NICs")
    gathering.add_argument("--facts", metavar="FILE", help="of captured facts instead of this node")
    for name, verb, text in (
        ("plan", _plan, "the steps that 'apply' would take; exit code 2 if there are any"),
        ("apply", _apply, "bring the node to its intent, undoing everything if a step fails"),
    ):
        planning = _with_intent(_verb(verbs, name, verb, text))
        if verb is _plan:
            planning.add_argument(
                "--facts", metavar="FILE", help="plan for the node whose captured facts these are; looks at none"
            )
    verifying = _verb(
        verbs, "verify", _verify, "check settings and counters against the intent; exit code 2 if they differ"
    )
    counter_verbs.with_window(_with_intent(verifying))
    drift_verbs.add(verbs, _verb_with_own_output)
    counter_verbs.add(verbs, _verb, _count)
    profile_verbs.add(verbs, _verb)
    pipeline_verbs.add(verbs, _verb)
    config_verbs.add(verbs, _verb)
    map_verbs.add(verbs, _verb)
    diagnose_verbs.add(verbs, _verb)
    boot_verbs.add(verbs, _verb)
    trace_verbs.add(verbs, _verb)
    tuning_verbs.add(verbs, _verb)
    exporter_verbs.add(verbs, _verb)
    top_verbs.add(verbs, _verb)
    version_verbs.add(verbs, _verb)
    upgrade_verbs.add(verbs, _verb)
    return parser


def _verb(verbs: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    parser = _verb_with_own_output(verbs, name, run, text)
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    return parser


def _verb_with_own_output(verbs: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(verb=run)
    parser.add_argument(
        "--profiles-path", action="append", default=[], metavar="DIR", help="a directory of site profiles; repeatable"
    )
    return parser


def _with_intent(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("-f", "--file", required=True, metavar="INTENT", help="the intent, a YAML file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
