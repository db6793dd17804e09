# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture of an attack on one customer among what the customer wants: made up here, always the same bytes.

python -m tests.scrubber_model.capture        # writes tests/fixtures/scrubber/attack.pcap again
"""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random
from typing import Any, Dict, Iterator, List

from wirespeed.pipeline.packet import frame

ATTACK = Path(__file__).resolve().parent.parent / "fixtures/scrubber/attack.pcap"
CUSTOMER = "203.0.113.7"
DOCUMENT: Dict[str, List[Any]] = {
    "deny_v4": ["192.0.2.0/25"],
    "customers_v4": [{"prefix": "203.0.113.0/24", "customer": 601, "policy": 12}],
    "policies": [
        {
            "policy": 12,
            "countermeasures": ["fragments", "amplification", "ports", "connections"],
            "fragments": "deny_udp",
            "established_timeout": "1h",
            "opening_timeout": "1h",
            "closing_timeout": "1h",
        }
    ],
    "amplifiers": ["53", "123", "11211"],
    "ports": [
        {"policy": 12, "protocol": 6, "port": 443, "action": "allow"},
        {"policy": 12, "protocol": 1, "port": 0, "action": "allow"},
    ],
}
EXPECTED = {
    "pass": 50,
    "deny_prefix_v4": 20,
    "fragment": 20,
    "amplification": 40,
    "port": 30,
    "no_connection": 40,
    "malformed": 5,
    "not_inspected": 2,
}
_FILE = struct.Struct("<IHHiIII")
_RECORD = struct.Struct("<IIII")
_MAGIC, _ETHERNET, _LONGEST = 0xA1B2C3D4, 1, 65535


def read(path: Path) -> List[bytes]:
    """The frames of a pcap file as :func:`write` makes them."""
    raw, at, frames = path.read_bytes(), _FILE.size, []
    while at < len(raw):
        size = _RECORD.unpack_from(raw, at)[2]
        at += _RECORD.size
        frames.append(raw[at : at + size])
        at += size
    return frames


def write(path: Path, frames: List[bytes]) -> None:
    """One millisecond apart (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html)."""
    parts = [_FILE.pack(_MAGIC, 2, 4, 0, 0, _LONGEST, _ETHERNET)]
    for number, each in enumerate(frames):
        parts += [_RECORD.pack(0, number * 1000, len(each), len(each)), each]
    path.write_bytes(b"".join(parts))


def attack() -> List[bytes]:
    """The attack's packets fall between the customer's, whose order stays."""
    chance, wanted = Random(7), list(_wanted())
    noise = list(_noise(chance))
    chance.shuffle(noise)
    places = sorted(chance.sample(range(len(wanted) + len(noise)), len(wanted)))
    mixed = iter(noise)
    kept = dict(zip(places, wanted))
    return [kept[at] if at in kept else next(mixed) for at in range(len(wanted) + len(noise))]


def _wanted() -> Iterator[bytes]:
    """Eight connections of six packets, and two pings."""
    for port in range(50000, 50008):
        for flags in (["syn"], ["ack"], ["psh", "ack"], ["ack"], ["fin", "ack"], ["ack"]):
            tcp = {"source": port, "destination": 443, "flags": flags}
            yield _to_customer("198.51.100.20", tcp=tcp, payload="GET / HTTP/1.1" if "psh" in flags else "")
    for source in ("198.51.100.21", "198.51.100.22"):
        yield _to_customer(source, icmp={})


def _noise(chance: Random) -> Iterator[bytes]:
    def anyone() -> str:
        return f"100.{chance.randint(64, 127)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"

    for dummy in range(40):
        udp = {"source": chance.choice((53, 123, 11211)), "destination": chance.randint(1024, 65535)}
        yield _to_customer(anyone(), udp=udp, payload={"hex": "00" * chance.randint(20, 200)})
    for dummy in range(20):
        ip = {"source": anyone(), "destination": CUSTOMER, "protocol": 17, "fragment_offset": chance.randint(1, 400)}
        yield frame({"ipv4": ip, "payload": {"hex": "00" * 64}}, "packet")
    for dummy in range(40):
        yield _to_customer(anyone(), tcp={"source": chance.randint(1024, 65535), "destination": 443, "flags": ["ack"]})
    for port in chance.sample(range(1, 400), 30):
        yield _to_customer(anyone(), tcp={"source": 6000, "destination": port})
    for host in chance.sample(range(1, 127), 20):
        yield _to_customer(f"192.0.2.{host}", tcp={"source": 6000, "destination": 443})
    for dummy in range(5):
        ip = {"source": anyone(), "destination": CUSTOMER, "ihl": 4}
        yield frame({"ipv4": ip, "udp": {}, "length": 60}, "packet")
    for dummy in range(2):
        yield frame({"ethernet": {"type": 0x0806}, "length": 60}, "packet")


def _to_customer(source: str, **more: Any) -> bytes:
    built = frame({"ipv4": {"source": source, "destination": CUSTOMER}, **more}, "packet")
    return built.ljust(60, b"\0")


if __name__ == "__main__":
    write(ATTACK, attack())
