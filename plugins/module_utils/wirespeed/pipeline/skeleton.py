# SPDX-License-Identifier: GPL-3.0-or-later
"""The first manifest of an object that has none: what the object says of itself, and guesses that say so. Pure."""

from __future__ import annotations

import json
import re
import struct
import textwrap
from typing import Dict, Iterator, List, Optional, Tuple

from ..config import sides
from ..errors import BadInput, Place
from ..kernel import btf as btfs
from ..kernel import elf as elfs
from ..kernel.bpf_map import PERCPU_ARRAY
from ..kernel.btf import Btf, MapDefinition
from ..kernel.elf import Elf
from . import constants
from .guess import guess
from .manifest import VERDICT_MAP
from .map_words import layout, words
from .sections import is_xdp, takes_fragments

_WIDTH = 100
_MOST_VERDICTS = 256
_METADATA = "bpf_metadata_wirespeed_"
_YAML_WORDS = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")


def skeleton(data: bytes, file: str, place: Place) -> str:
    """A manifest for the object with the file name ``file``. Raises :class:`BadInput` for what is no XDP object."""
    elf = elfs.parse(data, place)
    btf = btfs.of_object(elf.section(".BTF"), place)
    try:
        return "\n".join(
            [*_head(elf, btf, file, place), *_maps(btf), *_constants(elf, btf), *_verdicts(btf), *_tests(), ""]
        )
    except (LookupError, ValueError, struct.error, RecursionError) as error:
        problem = f"the type information of this object contradicts itself ({error!r})."
        raise BadInput(place, ".BTF", problem, "Build it again.") from error


def pipeline_name(file: str) -> str:
    """What the manifest's schema allows as a name, as near to the file's as can be."""
    stem = re.sub(r"\.(bpf\.)?o$", "", file)
    name = re.sub(r"[^a-z0-9_-]+", "_", stem.lower()).lstrip("0123456789_-")[:63]
    return {"": "xdp", "links": "links_xdp"}.get(name, name)


def programs(elf: Elf, file: str, place: Place) -> Tuple[str, List[str], Dict[str, str]]:
    """The entry, what it tail-calls, and every other XDP program with its section."""
    found = {name: section for name, section in elf.programs().items() if is_xdp(section)}
    if not found:
        there = ", ".join(f"{name} ({section})" for name, section in elf.programs().items()) or "none"
        raise BadInput(place, "", f"this object has no XDP program; its programs: {there}.", 'Put one in SEC("xdp").')
    called = elf.referred(".maps")
    first = [name for name in found if name not in called] or list(found)
    stem = pipeline_name(file)
    entry = next((name for name in first if name == stem), first[0])
    same = [name for name in found if takes_fragments(found[name]) == takes_fragments(found[entry])]
    stages = [name for name in same if name in called and name != entry]
    return entry, stages, {name: section for name, section in found.items() if name not in (entry, *stages)}


def _head(elf: Elf, btf: Btf, file: str, place: Place) -> Iterator[str]:
    own = {**constants.initial(elf, btf), **_metadata(elf)}
    entry, stages, others = programs(elf, file, place)
    yield from _comment(
        f"Manifest of {file}, begun by 'wirespeed pipeline init'. The object stays beside it. Roles of maps are "
        "guesses, each with its reason: correct what is wrong, then run 'wirespeed pipeline lint' on this file. "
        "docs/manifest.md tells what each key means."
    )
    yield "manifest: 1"
    named = str(own.get(f"{_METADATA}pipeline", ""))
    yield f"name: {_word(named if pipeline_name(named) == named else pipeline_name(file))}"
    yield f"version: {json.dumps(str(own.get(f'{_METADATA}version') or '0.1.0')[:63])}"
    yield "# description: what it does, in a sentence."
    yield f"object: {_word(file)}"
    yield ""
    if others:
        listed = ", ".join(f"{name} (section {section})" for name, section in others.items())
        yield from _comment(
            f"The object has more XDP programs that no program array of it names: {listed}. They are not loaded."
        )
    yield f"entry: {_word(entry)}"
    if stages:
        yield from _comment("Programs in a program array of the object: what the entry tail-calls.")
        yield f"stages: [{', '.join(_word(name) for name in stages)}]"
    yield from _comment("What happens to packets while nothing is published: pass or drop.")
    yield "empty_slot: pass"


def _metadata(elf: Elf) -> Dict[str, str]:
    """What the SDK's macros wrote into the object."""
    raw, found = elf.section(constants.SECTION), {}
    for symbol in elf.symbols:
        if symbol.section == constants.SECTION and symbol.name.startswith(_METADATA):
            text = raw[symbol.offset : symbol.offset + symbol.size].split(b"\0")[0]
            found[symbol.name] = text.decode("utf-8", "replace")
    return found


def _maps(btf: Btf) -> Iterator[str]:
    definitions = btfs.map_definitions(btf)
    if not definitions:
        return
    yield ""
    yield "maps:"
    inside = sides.internal(definitions)
    for found in (each for each in definitions.values() if each.name not in inside):
        guessed = guess(found, btf)
        twice = "Two sides, each " if sides.has_sides(found) else ""
        yield from _comment(f"{twice}{words(sides.side_of(found), btf)}.", "  ")
        yield from _comment(f"A guess: {guessed.why}.", "  ")
        table = f", table: {guessed.table}" if guessed.table else ""
        yield f"  {_word(found.name)}: {{role: {guessed.role.value}{table}}}"


def _constants(elf: Elf, btf: Btf) -> Iterator[str]:
    values, kinds = constants.initial(elf, btf), btf.variables(constants.SECTION)
    if not values:
        return
    yield ""
    yield from _comment(
        "Values of .rodata variables, which a manifest or an intent may set. These are the object's own."
    )
    yield "# constants:"
    for name, value in values.items():
        kind = kinds[name][0]
        yield f"#   {_word(name)}: {json.dumps(value)}  # {layout(kind, btf.size(kind), btf)}"


def counts_verdicts(found: Optional[MapDefinition]) -> bool:
    """Whether it is what WS_VERDICTS declares (bpf/include/wirespeed.h)."""
    return found is not None and (found.type, found.key_size, found.value_size) == (PERCPU_ARRAY, 4, 16)


def _verdicts(btf: Btf) -> Iterator[str]:
    found = btfs.map_definitions(btf).get(VERDICT_MAP)
    if found is None or not counts_verdicts(found):
        return
    yield ""
    if found.max_entries > _MOST_VERDICTS:
        yield from _comment(f"The object counts {found.max_entries} verdicts: name each under 'verdicts'.")
        return
    yield from _comment(
        f"The object counts {found.max_entries} verdicts. It does not say what they are: names and actions below are "
        "placeholders, in the order of the numbers in the program."
    )
    yield "verdicts:"
    for number in range(found.max_entries):
        yield f"  - {{name: verdict_{number}, action: pass}}"


def _tests() -> Iterator[str]:
    yield ""
    yield from _comment(
        "Packets that are run through the program before it is live, and what must become of them: 'expect' names a "
        "verdict, 'action' an XDP action. An example to begin with:"
    )
    yield "# tests:"
    yield "#   - name: DNS over IPv4 passes"
    yield "#     packet: {ipv4: {source: 192.0.2.1}, udp: {destination: 53}}"
    yield "#     action: pass"


def _word(text: str) -> str:
    """As YAML: bare where that is the same text."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", text) and text.lower() not in _YAML_WORDS
    return text if plain else json.dumps(text)


def _comment(text: str, margin: str = "") -> List[str]:
    clean = text.encode("unicode_escape").decode()  # a name from the object could hold a line's end
    return textwrap.wrap(
        clean, _WIDTH, initial_indent=f"{margin}# ", subsequent_indent=f"{margin}# ", break_on_hyphens=False
    )
