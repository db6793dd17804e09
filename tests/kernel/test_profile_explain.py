# SPDX-License-Identifier: GPL-3.0-or-later
"""``profile explain NIC`` on a real veth pair."""

from __future__ import annotations

import contextlib
import io
from typing import Tuple

from wirespeed import cli

from .netns import Veth


def explained(*arguments: str) -> Tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(["profile", "explain", *arguments])
    return code, out.getvalue(), err.getvalue()


def test_a_nic_of_this_node_is_explained_with_its_own_values(veth: Veth) -> None:
    code, text, _err = veth.node.run(explained, veth.ifname)
    line = next(line for line in text.splitlines() if "channels.rx" in line and "veth.yml" in line)
    assert code == 0 and line.split()[-1] == "4"


def test_a_nic_can_be_explained_as_if_it_were_another(veth: Veth) -> None:
    code, text, _err = veth.node.run(explained, veth.ifname, "--driver", "tg3", "--kernel", "6.1")
    assert code == 0 and text.startswith(f"{veth.ifname}: tg3, kernel 6.1, workload drop")


def test_a_name_that_is_no_nic_is_told(veth: Veth) -> None:
    code, _text, error = veth.node.run(explained, "nonesuch")
    assert code == 1 and "'nonesuch' is not on this node" in error
