# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet under `wirespeed.xdp.rollout`, of namespaces or of virtual machines, and what may happen to it meanwhile."""

import pytest

pytest.register_assert_rewrite("tests.rollout.fleet", "tests.rollout.scenarios")
