# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pipeline's author needs: ``pipeline init``, ``pipeline lint`` and ``pipeline test`` of the command line."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, Mapping

from .errors import BadInput, MissingPrerequisite, Place
from .gather import manifest_path
from .kernel import host
from .model.node import Node
from .pipeline import document as documents
from .pipeline import fixtures, sizes
from .pipeline.lint import Finding, Severity, lint, read_source
from .pipeline.manifest import load_manifest
from .pipeline.skeleton import skeleton
from .pipeline.source import PipelineSource
from .profile_verbs import Verb

COMMAND_LINE = Place("command line")
OK, WRONG, ADVISED = 0, 1, 2
_LARGEST_OBJECT = 64 << 20


def add(actions: Any, verb: Verb) -> None:
    """``actions`` are those of the group ``pipeline``."""
    making = verb(actions, "init", _init, "a first manifest for a compiled object, from what the object says of itself")
    making.add_argument("object", metavar="OBJECT", help="a compiled object, NAME.bpf.o")
    making.add_argument("-o", "--output", metavar="FILE", help="write it there; else it is printed")
    checking = verb(actions, "lint", _lint, "check a manifest and its object; exit code 1 if anything is wrong")
    checking.add_argument("manifest", metavar="MANIFEST", help="NAME.pipeline.yml, or the name of a built-in pipeline")
    checking.add_argument(
        "--load", action="store_true", help="also ask the kernel's verifier, and run the test packets"
    )
    checking.add_argument("--strict", action="store_true", help="exit code 2 if there is advice")
    testing = verb(actions, "test", _test, "run a manifest's test packets through its program, which nobody else uses")
    testing.add_argument("manifest", metavar="MANIFEST", help="NAME.pipeline.yml, or the name of a built-in pipeline")


def _init(options: argparse.Namespace) -> int:
    path = Path(options.object)
    text = skeleton(_object(path), path.name, Place(str(path)))
    if options.output is None:
        print(json.dumps({"manifest": text}) if options.json else text, end="\n" if options.json else "")
        return OK
    output = Path(options.output)
    try:
        with output.open("x", encoding="utf-8") as file:  # never over what somebody has edited
            file.write(text)
    except OSError as error:
        remedy = "Give another name, or a directory that can be written to."
        raise BadInput(COMMAND_LINE, "--output", f"{output} cannot be made: {error.strerror}.", remedy) from None
    print(json.dumps({"file": str(output)}) if options.json else f"Wrote {output}; now edit it, and lint it.")
    if output.resolve().parent != path.resolve().parent:
        print(f"The object must lie beside it: copy {path} to {output.parent}.", file=sys.stderr)
    return OK


def _object(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_OBJECT:
            raise BadInput(
                COMMAND_LINE, "OBJECT", f"{path} is larger than {_LARGEST_OBJECT} bytes.", "Strip it: llvm-strip -g."
            )
        return path.read_bytes()
    except OSError as error:
        raise BadInput(COMMAND_LINE, "OBJECT", f"{path} cannot be read: {error.strerror}.") from None


def _lint(options: argparse.Namespace) -> int:
    if options.load:
        _require_root()
    found = lint(_manifest(options), this_machine(), options.load)
    if options.json:
        print(json.dumps([_data(each) for each in found], indent=2, sort_keys=True))
    else:
        print("\n".join(str(each) for each in found) or "Nothing is wrong.")
    if any(each.severity is Severity.ERROR for each in found):
        return WRONG
    return ADVISED if found and options.strict else OK


def _data(finding: Finding) -> Dict[str, Any]:
    return {
        "file": finding.place.source,
        "line": finding.place.line,
        "severity": finding.severity.value,
        "field": finding.field,
        "text": finding.text,
    }


def _test(options: argparse.Namespace) -> int:
    _require_root()
    path = _manifest(options)
    source = _source(path)
    tried = [source.manifest.tests[number] for number in source.manifest.tried]
    failures = [fixtures.run_one(source, number) for number in source.manifest.tried]
    if options.json:
        told = [
            {"name": test.name, "passed": failure is None, "differences": list(failure.differences) if failure else []}
            for test, failure in zip(tried, failures)
        ]
        print(json.dumps(told, indent=2, sort_keys=True))
    else:
        for test, failure in zip(tried, failures):
            print(f"failed  {failure}" if failure else f"ok      {test.name}")
        for test in source.manifest.tests:
            off = source.manifest.missing(test)
            if off:
                print(f"not run {test.name}: it needs {', '.join(off)}")
        passed = len(failures) - sum(map(bool, failures))
        print(f"{passed} of {len(failures)} packets met their fate." if failures else "There are no test packets.")
    return WRONG if any(failures) else OK


def _source(path: Path) -> PipelineSource:
    """Checked whole, with the manifest's line in each mistake."""
    try:
        source = read_source(path, load_manifest(path)).on(this_machine())
        fixtures.check(source)
    except BadInput as mistake:
        raise documents.read(path).locate(mistake) from None
    return source


def _manifest(options: argparse.Namespace) -> Path:
    try:
        return manifest_path(options.manifest, Path.cwd())
    except BadInput as mistake:
        raise BadInput(COMMAND_LINE, "MANIFEST", mistake.detail, mistake.remedy) from None


def this_machine() -> Mapping[str, Any]:
    """What sizes may depend on, of this node; any user may read it."""
    here = host.read()
    node = Node(
        hostname="",
        kernel=here.kernel,
        boot_id=here.boot_id,
        cpus=here.cpus_possible,
        cpus_online=here.cpus_online,
        cpus_by_numa=here.cpus_by_numa,
        ram_mib=here.ram_mib,
        libbpf="",
        nics={},
    )
    return sizes.names(node, 1)


def _require_root() -> None:
    if os.geteuid() != 0:
        raise MissingPrerequisite(
            "Test packets run in the kernel, which needs root.",
            "Run as root; 'pipeline lint' without --load needs none.",
        )
