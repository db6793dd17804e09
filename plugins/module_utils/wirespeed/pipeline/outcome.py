# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a fixture's packet, against what should: pure, so that a failure can be told anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator, Mapping, Optional, Tuple

from ..counters.verdicts import ACTIONS
from ..errors import WirespeedError
from .checks import Fixture
from .manifest import Manifest
from .packet_fields import hexadecimal

_NEIGHBOURS = 8
_MOST_SHOWN = 100


@dataclass(frozen=True)
class Outcome:
    """``verdicts`` has the packets counted under each name, those that are not zero; ``frame`` is as it came out."""

    action: str
    verdicts: Mapping[str, int] = field(default_factory=dict)
    frame: bytes = b""


@dataclass(frozen=True)
class Failure:
    """``number`` is the fixture's place in the manifest, from 0; ``differences`` say what was expected and found."""

    number: int
    name: str
    differences: Tuple[str, ...]

    def __str__(self) -> str:
        return f"tests[{self.number}] '{self.name}': {'; '.join(self.differences)}"


class FixturesFailed(WirespeedError):
    """A program does to its own manifest's packets what the manifest does not say."""

    def __init__(self, manifest: Manifest, failures: Tuple[Failure, ...]) -> None:
        shown = [f"\n    {failure}" for failure in failures[:_MOST_SHOWN]]
        rest = f"\n    and {len(failures) - _MOST_SHOWN} more" if len(failures) > _MOST_SHOWN else ""
        super().__init__(
            f"Pipeline {manifest.name} {manifest.version} does not do what its manifest says of {len(failures)} of its "
            f"{len(manifest.tried)} test packets:{''.join(shown)}{rest}\n",
            "It does not go live; what is running keeps running. Correct the program, or the tests in the manifest.",
        )
        self.failures = failures


def action_name(number: int) -> str:
    """``drop``; what is no XDP action is treated as aborted by drivers, and told as its number."""
    return ACTIONS[number] if 0 <= number < len(ACTIONS) else f"{number}, which is no XDP action"


def wanted_action(fixture: Fixture, manifest: Manifest) -> Optional[str]:
    if fixture.action is not None:
        return fixture.action
    return next((verdict.action for verdict in manifest.verdicts if verdict.name == fixture.expect), None)


def compare(number: int, fixture: Fixture, manifest: Manifest, found: Outcome) -> Optional[Failure]:
    """None when all is as the fixture says."""
    differences = tuple(_differences(fixture, wanted_action(fixture, manifest), found))
    return Failure(number, fixture.name, differences) if differences else None


def _differences(fixture: Fixture, action: Optional[str], found: Outcome) -> Iterator[str]:
    if fixture.expect is not None and found.verdicts != {fixture.expect: 1}:
        yield f"expected verdict {fixture.expect}, found {_counted(found.verdicts)}"
    if action is not None and found.action != action:
        yield f"expected action {action}, found {found.action}"
    if fixture.output is not None:
        wanted = hexadecimal(fixture.output, "output", len(fixture.output))
        if wanted != found.frame:
            yield _unlike(wanted, found.frame)


def _counted(verdicts: Mapping[str, int]) -> str:
    if list(verdicts.values()) == [1]:
        return next(iter(verdicts))
    return ", ".join(f"{name} counted {count} times" for name, count in verdicts.items()) or "none counted"


def _unlike(wanted: bytes, found: bytes) -> str:
    at = next((i for i, (one, other) in enumerate(zip(wanted, found)) if one != other), min(len(wanted), len(found)))
    sizes = f"a frame of {len(wanted)} bytes, found {len(found)}" if len(wanted) != len(found) else "another frame"
    return f"expected {sizes}; from byte {at} expected {_hex(wanted, at)}, found {_hex(found, at)}"


def _hex(frame: bytes, at: int) -> str:
    part = frame[at : at + _NEIGHBOURS]
    return (part.hex(" ") + (" ..." if at + _NEIGHBOURS < len(frame) else "")) if part else "the end"
