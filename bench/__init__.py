# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of this machine, each as a ratio to something well known, measured in turn within one run.

python -m bench            # all;  python -m bench facts rerun   # these
"""

import sys
from pathlib import Path

# The engine of this checkout, as pytest has it by `pythonpath` in pyproject.toml.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "plugins" / "module_utils"))
