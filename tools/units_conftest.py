# SPDX-License-Identifier: GPL-3.0-or-later
"""What tools/units.py puts as ``conftest.py`` at the root of a collection, so that tests/unit run in it as they are.

The tests import ``wirespeed`` and ``tests``. Here these names mean the collection's own modules, those that Ansible's
loader of collections has loaded: one module under two names, so that what is judged is what plugins import.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Mapping

COLLECTION = Path(__file__).resolve().parent
PACKAGES = {
    "wirespeed": "ansible_collections.wirespeed.xdp.plugins.module_utils.",
    "tests": "ansible_collections.wirespeed.xdp.",
}


class OfTheCollection(MetaPathFinder, Loader):
    """Finds a short name and has it mean the module of the long one."""

    def __init__(self, packages: Mapping[str, str]) -> None:
        self.packages = packages

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> "ModuleSpec | None":
        return ModuleSpec(fullname, self) if fullname.partition(".")[0] in self.packages else None

    def exec_module(self, module: ModuleType) -> None:
        """What stands in sys.modules afterwards is what the import gives (``importlib._bootstrap._load_unlocked``)."""
        name = module.__name__
        sys.modules[name] = importlib.import_module(self.packages[name.partition(".")[0]] + name)


def pytest_collection_finish() -> None:
    """ansible-test gives each test a process of its own: what tests keep for each other, all are born with."""
    from tests import pipelines, probes
    from tests.unit import config_cases, profile_cases

    profile_cases.built_in()
    if not probes.failure("clang"):
        pipelines.scrubber()
        config_cases.source()


sys.meta_path.insert(0, OfTheCollection(PACKAGES))
# For the children that tests start; in this process the finder comes first.
sys.path[:0] = [str(COLLECTION), str(COLLECTION / "plugins" / "module_utils")]
