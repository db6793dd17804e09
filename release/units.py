# SPDX-License-Identifier: GPL-3.0-or-later
"""The units of the roles, as the Debian package has them: from the roles' own templates and defaults."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, Dict

import jinja2
import yaml

BOOT, OBSERVABILITY = Path("roles/boot"), Path("roles/observability")
UNITS = Path("lib/systemd/system")
PLACES = {
    "boot_engine": "/usr/bin/wirespeed",
    "boot_folder": "/usr/lib/python3/dist-packages/wirespeed",
    "observability_engine": "/usr/bin/wirespeed",
    "ansible_managed": "Of the Debian package wirespeed; change it with systemctl edit.",
}
MOMENTS = {"boot": "wirespeed.service", "up": "wirespeed-up.service", "heal": "wirespeed-heal.service"}
EXPORTER = "wirespeed-exporter.service"
SWEEPING = ("wirespeed-sweep@.service", "wirespeed-sweep@.timer")
RULE = Path("usr/share/doc/wirespeed/examples/90-wirespeed.rules")


def rendered(root: Path) -> Dict[Path, str]:
    """By the path from the root of the file system. The rule of ``boot_heal`` is an example, as it is off there."""
    boot, observability = _templates(root / BOOT), _templates(root / OBSERVABILITY)
    known: Dict[str, Any] = {**_defaults(root / BOOT), **_defaults(root / OBSERVABILITY), **PLACES}
    made = {}
    for moment, name in MOMENTS.items():
        made[UNITS / name] = boot.get_template("wirespeed.service.j2").render(known, boot_moment=moment)
    for name in SWEEPING:
        made[UNITS / name] = boot.get_template(f"{name.replace('@', '')}.j2").render(known)
    made[RULE] = boot.get_template("wirespeed.rules.j2").render(known)
    options = ["--listen", known["observability_listen"]]
    exporter = observability.get_template(f"{EXPORTER}.j2").render(known, observability_options=options)
    made[UNITS / EXPORTER] = exporter
    return made


def _templates(role: Path) -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(role / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (units are no HTML)
    )
    made.filters["quote"] = shlex.quote  # Ansible's
    return made


def _defaults(role: Path) -> Dict[str, Any]:
    return dict(yaml.safe_load((role / "defaults/main.yml").read_text()))
