# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever other managers' files hold, a run goes on: bounded, without an exception, with one note a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Dict

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wirespeed.managers import ini
from wirespeed.managers.commands import ordered
from wirespeed.managers.table import claims
from wirespeed.managers.tree import MAX_BYTES, MAX_FILES, Tree

from .manager_cases import IGB, Subject, claimed, tree

LINK = "/etc/systemd/network/10-lan.link"
NETWORK = "/etc/systemd/network/10-lan.network"
READ = (
    "/etc/tuned/active_profile",
    "/etc/tuned/tuned-main.conf",
    "/etc/tuned/a/tuned.conf",
    "/run/tuned/tuned.pid",
    "/run/NetworkManager/devices/2",
    "/etc/NetworkManager/system-connections/a",
    "/etc/NetworkManager/conf.d/a.conf",
    "/run/systemd/netif/links/2",
    LINK,
    NETWORK,
    "/etc/netplan/a.yaml",
    "/etc/network/interfaces",
    "/run/network/ifstate",
    "/etc/sysconfig/network-scripts/ifcfg-enp1s0",
    "/etc/udev/rules.d/a.rules",
    "/run/irqbalance.pid",
)
WORDS = (
    *(
        "[net]",
        "[Link]",
        "[ethtool]",
        "[main]",
        "[variables]",
        "[connection]",
        "[ethernet]",
        "include=a",
        "a",
        "${a}",
        "=",
    ),
    *(
        "ring=rx 1024",
        "RxBufferSize=",
        "mtu",
        "max",
        "iface enp1s0 inet manual",
        "up ethtool -G $IFACE rx",
        "\\",
        "#",
        "\n",
    ),
    *("devices_udev_regex=(", "priority=x", 'SUBSYSTEM=="net"', 'RUN+="ethtool -K %k tx off"', "'", "source *", "\0"),
    *(
        f"NETWORK_FILE={NETWORK}",
        "MTUBytes=99999999999K",
        "fec-mode=999",
        "uuid=a",
        "connection-uuid=a",
        "match-device=;",
    ),
)
TEXT = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(WORDS), max_size=30).map("\n".join),
    st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
)


@given(st.dictionaries(st.sampled_from(READ), TEXT))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_content_of_any_file_raises(files: Dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as root:
        host = Tree(Path(root))
        for path, text in files.items():
            file = Path(root, path.lstrip("/"))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode("utf-8", "surrogatepass"))
        found = claims(host, Subject(IGB, {"ID_NET_LINK_FILE": LINK}))
    assert all(claim.key and claim.file for claim in found)


@given(TEXT)
def test_no_text_is_too_odd_for_a_parser(text: str) -> None:
    for parser in (ini.systemd, ini.key_file, ini.tuned):
        assert all(0 < entry.line <= len(text.splitlines()) for entry in parser(text))
    ordered(text)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text("xyz01 ", min_size=1, max_size=8)), max_size=20))
def test_what_is_written_is_what_is_read_with_its_line(written: "list[tuple[str, str]]") -> None:
    text = "[s]\n" + "".join(f"{key}={value}\n" for key, value in written)
    expected = [("s", key, value.strip(), number) for number, (key, value) in enumerate(written, 2)]
    for parser in (ini.systemd, ini.key_file, ini.tuned):
        assert [(each.section, each.key, each.value, each.line) for each in parser(text)] == expected


def test_a_line_that_goes_on_has_the_number_of_its_first() -> None:
    text = "[s]\na=1 \\\n# aside\n  2\nb=3\n"
    assert [(each.key, each.value.split(), each.line) for each in ini.systemd(text)] == [
        ("a", ["1", "2"], 2),
        ("b", ["3"], 5),
    ]
    text = "[s]\na = 1  # aside\n\t2\nb=3\n"
    assert [(each.key, each.value, each.line) for each in ini.tuned(text)] == [("a", "1 2", 2), ("b", "3", 4)]


def test_a_huge_file_is_left_out_with_one_note(tmp_path: Path) -> None:
    host = tree(tmp_path, {LINK: "[Link]\nRxBufferSize=1024\n" + "#" * MAX_BYTES})
    subject = Subject(IGB, {"ID_NET_LINK_FILE": LINK})
    assert claims(host, subject) == claims(host, subject) == ()
    assert host.notes == [f"{LINK}: is longer than {MAX_BYTES} bytes; what it sets on NICs is not known."]


def test_a_crowded_folder_is_read_in_part_with_one_note(tmp_path: Path) -> None:
    host = tree(tmp_path, {f"/etc/udev/rules.d/{number:04}.rules": "" for number in range(MAX_FILES + 1)})
    assert len(host.names("/etc/udev/rules.d")) == MAX_FILES and len(host.notes) == 1


def test_a_mask_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/dev/null")
    host = Tree(tmp_path)
    assert host.text("/a") is None and not host.notes


def test_a_fifo_does_not_hang_a_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    assert Tree(tmp_path).text("/a") is None


def test_a_file_that_cannot_be_read_is_one_note(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    host = Tree(tmp_path)
    assert host.text("/a") is host.text("/a") is None
    assert host.notes == ["/a: cannot be read (Too many levels of symbolic links); what it sets on NICs is not known."]


def test_a_host_without_any_manager_has_no_claims_and_no_notes(tmp_path: Path) -> None:
    assert claimed(tmp_path, {}) == []


def test_in_a_network_namespace_of_its_own_a_nic_is_not_the_managers(tmp_path: Path) -> None:
    files = {"/etc/sysconfig/network/ifcfg-enp1s0": "MTU=9000\n", "/proc/self/ns/net": ""}
    tree(tmp_path, files)
    (tmp_path / "proc/1/ns").mkdir(parents=True)
    os.link(tmp_path / "proc/self/ns/net", tmp_path / "proc/1/ns/net")
    assert len(claimed(tmp_path, files)) == 1
    (tmp_path / "proc/1/ns/net").unlink()
    (tmp_path / "proc/1/ns/net").touch()
    assert claimed(tmp_path, files) == []
