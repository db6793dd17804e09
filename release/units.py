# SPDX-License-Identifier: GPL-3.0-or-later
"""The units of the role ``boot``, as the Debian package has them: from the role's own templates and defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import jinja2
import yaml

ROLE = Path("roles/boot")
UNITS = Path("lib/systemd/system")
PLACES = {
    "boot_engine": "/usr/bin/wirespeed",
    "boot_folder": "/usr/lib/python3/dist-packages/wirespeed",
    "ansible_managed": "Of the Debian package wirespeed; change it with systemctl edit.",
}
MOMENTS = {"boot": "wirespeed.service", "up": "wirespeed-up.service", "heal": "wirespeed-heal.service"}
SWEEPING = ("wirespeed-sweep@.service", "wirespeed-sweep@.timer")
RULE = Path("usr/share/doc/wirespeed/examples/90-wirespeed.rules")


def rendered(root: Path) -> Dict[Path, str]:
    """By the path from the root of the file system. The rule of ``boot_heal`` is an example, as it is off there."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(root / ROLE / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (units are no HTML)
    )
    known: Dict[str, Any] = {**yaml.safe_load((root / ROLE / "defaults/main.yml").read_text()), **PLACES}
    made = {}
    for moment, name in MOMENTS.items():
        made[UNITS / name] = templates.get_template("wirespeed.service.j2").render(known, boot_moment=moment)
    for name in SWEEPING:
        made[UNITS / name] = templates.get_template(f"{name.replace('@', '')}.j2").render(known)
    made[RULE] = templates.get_template("wirespeed.rules.j2").render(known)
    return made
