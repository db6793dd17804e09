# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that a page shows or names: ours must exist, and take what they are given."""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import re
import shlex
from pathlib import Path
from typing import Iterator, List

from wirespeed import cli

from .page import Block

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = ROOT / "Makefile"
COMMENT = re.compile(r"\s+#\s.*$")
INLINE = re.compile(r"(?<!`)`(wirespeed [^`\n]+|make [^`\n]+|ansible-playbook [^`\n]+)`(?!`)")
CODE_BLOCK = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.S | re.M)
PLAYBOOK = re.compile(r"wirespeed\.xdp\.(\w+)$")
SEPARATORS = {"|", "&&", "||", ";", "&"}


def mistakes_in(block: Block) -> List[str]:
    """Of a block that shows a terminal: each of its lines that is a command of ours."""
    if block.language not in ("", "console", "sh", "shell", "bash"):
        return []
    prompts = block.language == "console"
    found = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if prompts and not line.startswith("$ "):
            continue
        for words in _commands(line[2:] if line.startswith("$ ") else line):
            found += [f"{block.page.name}:{number}: {text}" for text in _mistakes(words, strict=True)]
    return found


def named_in(page: Path) -> List[str]:
    """Mistakes of commands within the text: their verbs and options must exist, but what they need may be left out."""
    text = page.read_text(encoding="utf-8")
    blank = CODE_BLOCK.sub(lambda found: "\n" * found[0].count("\n"), text)
    return [
        f"{page.name}:{blank.count(chr(10), 0, found.start()) + 1}: {said}"
        for found in INLINE.finditer(blank)
        for words in _commands(found[1])
        for said in _mistakes(words, strict=False)
    ]


def _commands(line: str) -> Iterator[List[str]]:
    """The words of each command of a line, without assignments, redirections, and what stands before `wirespeed`."""
    try:
        lexer = shlex.shlex(COMMENT.sub("", line), posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return  # a text, and no command
    command: List[str] = []
    for word in [*words, ";"]:
        if word not in SEPARATORS:
            command.append(word)
            continue
        if command:
            yield _bare(command)
        command = []


def _bare(words: List[str]) -> List[str]:
    cut = next((at for at, word in enumerate(words) if set(word) <= set("<>")), len(words))
    words = words[: cut - 1] if words[:cut][-1:] == ["2"] else words[:cut]  # 2> is standard error's
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if "wirespeed" in words[:4] and words[0] in ("ssh", "sudo", "ip", "watch"):
        words = words[words.index("wirespeed") :]
    return words


def _mistakes(words: List[str], strict: bool) -> Iterator[str]:
    if words[:1] == ["wirespeed"] and len(words) > 1:
        yield from _strictly(words[1:]) if strict else _loosely(words[1:])
    elif words[:1] == ["make"]:
        for word in words[1:]:
            yield from _of_make(word)
    elif words[:1] == ["ansible-playbook"]:
        for word in words[1:]:
            found = PLAYBOOK.fullmatch(word)
            if found and not (ROOT / f"playbooks/{found[1]}.yml").exists():
                yield f"there is no playbook {word}"


def _of_make(word: str) -> Iterator[str]:
    """A target, or the value of a variable, where that can be known."""
    name, is_set, value = word.partition("=")
    if not is_set and re.fullmatch(r"[a-z][a-z-]*", word) and word not in _targets():
        yield f"`make {word}`: the Makefile has no such target"
    elif is_set and f"$({name})" not in MAKEFILE.read_text(encoding="utf-8"):
        yield f"`make {word}`: the Makefile has no such variable"
    elif name == "TESTS":
        yield from (f"`make {word}`: there is no {each}" for each in value.split() if not (ROOT / each).exists())
    elif name == "BENCHES":
        yield from (f"`make {word}`: there is no bench {each}" for each in value.split() if each not in _benches())


def _strictly(words: List[str]) -> Iterator[str]:
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            cli._parser().parse_args(words)
    except SystemExit as end:
        if end.code:
            yield f"`wirespeed {' '.join(words)}`: {said.getvalue().strip().splitlines()[-1]}"


def _loosely(words: List[str]) -> Iterator[str]:
    parser = cli._parser()
    for word in words:
        verbs = _verbs(parser)
        if word.startswith("-"):
            option = word.partition("=")[0]
            if option not in parser._option_string_actions:
                yield f"`wirespeed {' '.join(words)}`: no option {option} in `{parser.prog}`"
        elif verbs and word in verbs:
            parser = verbs[word]
        elif verbs and parser.prog == "wirespeed" and word.islower() and words[0] == word:
            yield f"`wirespeed {' '.join(words)}`: no verb {word}; there are {', '.join(verbs)}"


def _verbs(parser: argparse.ArgumentParser) -> "dict[str, argparse.ArgumentParser]":
    found = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    return dict(next((each.choices for each in found), None) or {})


@functools.cache
def _targets() -> "frozenset[str]":
    text = MAKEFILE.read_text(encoding="utf-8")
    return frozenset(name for line in re.findall(r"^([a-z][a-z -]*):(?!=)", text, re.M) for name in line.split())


@functools.cache
def _benches() -> "frozenset[str]":
    return frozenset(re.findall(r'^    "(\w+)":', (ROOT / "bench/__main__.py").read_text(encoding="utf-8"), re.M))
