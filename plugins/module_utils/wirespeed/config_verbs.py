# SPDX-License-Identifier: GPL-3.0-or-later
"""The group ``config`` of the command line: documents that configure a pipeline."""

# pylint: disable=ansible-bad-function  # no module: this is the command line
from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from . import delivery_verbs
from .config import bundle as bundles
from .config.json_schema import schema_of
from .errors import BadInput, Place
from .gather import compiled, read_pipeline
from .profile_verbs import Verb

COMMAND_LINE = Place("command line")
OK = 0


def add(verbs: Any, verb: Verb) -> None:
    """``verb`` adds one verb to ``verbs``, with the options that all have."""
    parser = verbs.add_parser("config", help="documents that configure a pipeline: check, compile, deliver")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    printing = verb(actions, "schema", _schema, "the JSON Schema of a pipeline's documents, for editors")
    printing.add_argument("pipeline", metavar="PIPELINE", help="a built-in pipeline, or NAME.pipeline.yml")
    compiling = verb(actions, "compile", _compile, "check a document with all its files, and make one bundle of it")
    compiling.add_argument("document", metavar="DOCUMENT", help="a YAML file")
    compiling.add_argument("-o", "--output", metavar="BUNDLE", help="write it there; else the document is only checked")
    compiling.add_argument(
        "--manifest",
        metavar="MANIFEST",
        help="NAME.pipeline.yml, relative to the document; else the built-in pipeline that the document names",
    )
    delivery_verbs.add(actions, verb)


def _schema(options: argparse.Namespace) -> int:
    try:
        source = read_pipeline(options.pipeline, Path.cwd())
    except BadInput as mistake:
        if mistake.field != "pipelines.manifest":
            raise
        raise BadInput(COMMAND_LINE, "PIPELINE", mistake.detail, mistake.remedy) from None
    print(json.dumps(schema_of(source.manifest.name, source.manifest.config, source.tables), indent=2))
    return OK


def _compile(options: argparse.Namespace) -> int:
    found = compiled(Path(options.document), options.manifest)
    if options.output is not None:
        bundles.write(found, Path(options.output))
    counts = {name: packed.count for name, packed in found.tables.items()}
    if options.json:
        told = {"pipeline": found.pipeline, "schema": found.schema, "layout": found.layout, "digest": found.digest}
        print(json.dumps({**told, "rows": counts, "file": options.output}, indent=2, sort_keys=True))
        return OK
    for name, count in counts.items():
        print(f"{name}: {count} rows")
    print(f"{found.pipeline}, schema {found.schema}, digest {found.digest}")
    return OK
