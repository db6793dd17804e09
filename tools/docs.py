# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the documentation as a site into build/site; needs no network.

docs.py              build it; a link that leads nowhere is an error
docs.py --reference  only make the pages of the reference, into build/site-source
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Sequence

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "plugins/module_utils")]

from docsite import ansible_pages, built, engine_pages, navigation, schema_pages, staging  # noqa: E402  (found by the line above)

SOURCE, SITE, SETTINGS = ROOT / "build/site-source", ROOT / "build/site", ROOT / "build/mkdocs.yml"
OF_THE_SCRUBBER = """\
What a [configuration](configuration.md) of the [scrubber](scrubber.md) may say. For a pipeline of your own,
`wirespeed config schema NAME.pipeline.yml` makes the same from its object."""
ENGINE = ROOT / "plugins/module_utils/wirespeed"


def reference(collections: Path) -> Dict[str, str]:
    """All pages that are made, by name, and the schemas that they are made from."""
    made = ansible_pages.pages(collections)
    made["cli.md"] = engine_pages.command_line()
    made["counter_names.md"] = engine_pages.counter_names()
    for name, title, intro, schema in _schemas():
        made[f"{name}.schema.json"] = json.dumps(schema, indent=2) + "\n"
        made[f"{name}_schema.md"] = schema_pages.page(title, intro, schema, f"{name}.schema.json")
    return made


def _schemas() -> "list[tuple[str, str, str, Dict[str, Any]]]":
    def read(path: str) -> Dict[str, Any]:
        return dict(json.loads((ENGINE / path).read_text(encoding="utf-8")))

    document = [sys.executable, "-c", "from wirespeed.cli import main; raise SystemExit(main())"]
    settings = {**os.environ, "PYTHONPATH": str(ENGINE.parent)}
    said = subprocess.run([*document, "config", "schema", "scrubber"], env=settings, stdout=subprocess.PIPE, check=True)
    return [
        ("profile", "Profiles, key by key", "What a [NIC profile](profiles.md) may say.", read("profiles/schema.json")),
        (
            "manifest",
            "Manifests, key by key",
            "What a pipeline's [manifest](manifest.md) may say.",
            read("pipeline/manifest.schema.json"),
        ),
        (
            "scrubber",
            "Documents of the scrubber, key by key",
            OF_THE_SCRUBBER,
            dict(json.loads(said.stdout)),
        ),
    ]


def settings() -> None:
    """mkdocs.yml of the tree, with the folders of this build and the navigation of the pages that are there."""
    document = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.md")}
    document.update(docs_dir=str(SOURCE), site_dir=str(SITE), nav=navigation.fitted(document["nav"], pages))
    SETTINGS.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    stage = [sys.executable, str(ROOT / "collection/stage.py"), "--path"]
    try:
        collections = Path(subprocess.run(stage, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())
        made = reference(collections)
    except subprocess.CalledProcessError:
        return 1  # its reason is printed
    repository = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]
    SETTINGS.parent.mkdir(exist_ok=True)
    staging.stage(ROOT, SOURCE, made, repository)
    settings()
    if "--reference" in arguments:
        return 0
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--clean", "-f", str(SETTINGS)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    code = subprocess.run(build, cwd=ROOT, env=quiet, check=False).returncode
    faults = list(built.faults(SITE)) if code == 0 else []
    for fault in faults:
        print(f"docs: {fault}")
    print("docs: the build found the faults above" if code or faults else f"docs: {SITE}/index.html")
    return code or int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
