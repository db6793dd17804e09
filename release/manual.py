# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual page of the command: what ``wirespeed --help`` says."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from .source import Commit

SAY = "import os, sys; os.environ['COLUMNS'] = '78'; from wirespeed.cli import main; main(['--help'])"


def page(commit: Commit, modules: Path) -> str:
    """As troff. ``modules`` is the folder that the package lies in."""
    program = f"import sys; sys.path.insert(0, {str(modules)!r}); {SAY}"
    said = commit.run(sys.executable, "-c", program).decode()
    day = datetime.fromtimestamp(commit.when, UTC).date()
    lines = [
        f'.TH WIRESPEED 8 "{day}" "wirespeed {commit.version}" "System administration"',
        ".SH NAME",
        "wirespeed \\- make this node's NICs ready for XDP and keep them so",
        ".SH SYNOPSIS",
        ".B wirespeed",
        ".I VERB",
        "[\\fIoptions\\fR]",
        ".SH DESCRIPTION",
        ".nf",
        *(_literal(line) for line in said.splitlines()),
        ".fi",
        ".PP",
        "Each verb tells its own options with",
        ".BR \\-\\-help .",
        ".SH EXIT STATUS",
        "0: as wanted. 1: an error, and nothing is left half done. 2: the node is not as wanted.",
        ".SH SEE ALSO",
        ".BR systemctl (1),",
        ".BR bpftool (8),",
        ".BR ethtool (8)",
    ]
    return "\n".join(lines) + "\n"


def _literal(line: str) -> str:
    escaped = line.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
