# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions in profiles: ``{{ [node.cpus_on_nic_node, nic.max.channels.combined] | min }}``.

The language is Jinja2's expression syntax over a fixed namespace, and nothing else. An expression
can look at data, compare, calculate and choose; it cannot call, loop, assign, import, or reach a
Python attribute, and every intermediate result is bounded. A text that is one ``{{ ... }}`` gives
the value with its type; a text around expressions gives a text; any other value is itself.

The names are those of :mod:`.namespace`; one with a dash is written ``nic.features['rx-lro']``.
"""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import Any, Callable, Dict, Iterator, List, Mapping, Tuple

from .errors import BadInput, MissingPrerequisite, Place
from .namespace import View

LONGEST_SOURCE = 1000
DEEPEST_NESTING = 20
LONGEST_RESULT = 4096
LARGEST_NUMBER = 2**63

FILTERS = (
    "abs", "count", "d", "default", "first", "float", "int", "last", "length", "list", "lower", "max", "min", "sort",
    "sum", "unique", "upper",
)  # fmt: skip
TESTS = (
    "boolean", "defined", "divisibleby", "eq", "even", "ge", "gt", "in", "integer", "le", "lt", "mapping", "ne", "none",
    "number", "odd", "sequence", "string", "undefined",
)  # fmt: skip
NODES = (
    "Add", "And", "Compare", "Concat", "CondExpr", "Const", "Div", "Filter", "FloorDiv", "Getattr", "Getitem",
    "Keyword", "List", "Mod", "Mul", "Name", "Neg", "Not", "Operand", "Or", "Output", "Pos", "Sub", "TemplateData",
    "Test", "Tuple",
)  # fmt: skip


def is_expression(value: Any) -> bool:
    return isinstance(value, str) and any(mark in value for mark in ("{{", "{%", "{#"))


def evaluate(value: Any, names: Mapping[str, Any], place: Place, field: str) -> Any:
    """``value`` with its expressions evaluated: int, bool, str, None, float, list or tuple.

    Raises :class:`BadInput` that names the expression, its place, what is undefined and what exists.
    """
    if not is_expression(value):
        return value
    run = parse(value, place, field)
    try:
        result = run(names)
    except _mistakes() as error:
        raise _bad(value, place, field, f"{str(error).rstrip('.')}.") from None
    unusable = _unusable(result)
    if unusable:
        raise _bad(value, place, field, f"{unusable.rstrip('.')}.")
    if len(str(result)) > LONGEST_RESULT:
        raise _bad(value, place, field, f"the result has more than {LONGEST_RESULT} characters.")
    return result


def _unusable(result: Any) -> str:
    from jinja2 import Undefined

    for item in result if isinstance(result, (list, tuple)) else [result]:
        if isinstance(item, Undefined):
            return str(item._undefined_message)
        if isinstance(item, View):
            return f"{item.path} is a group of names, not a value; it has: {', '.join(sorted(item))}"
    return ""


def parse(source: str, place: Place, field: str) -> Callable[[Mapping[str, Any]], Any]:
    """Compile one text. Raises :class:`BadInput` for what is no expression, or no allowed one."""
    if len(source) > LONGEST_SOURCE:
        raise _bad(source, place, field, f"is longer than {LONGEST_SOURCE} characters.")
    if _depth(source) > DEEPEST_NESTING:
        raise _bad(source, place, field, f"nests brackets more than {DEEPEST_NESTING} deep.")
    try:
        return _compiled(source)
    except _mistakes() as error:
        raise _bad(source, place, field, f"{str(error).rstrip('.')}.") from None


def _depth(source: str) -> int:
    depth = deepest = 0
    for letter in source:
        depth += (letter in "([{") - (letter in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _bad(source: str, place: Place, field: str, problem: str) -> BadInput:
    shown = source if len(source) <= 200 else source[:200] + "..."
    return BadInput(place, field, f"in the expression {shown!r}: {problem}")


def _mistakes() -> Tuple[type[BaseException], ...]:
    """What a wrong expression can raise; all of it is the author's, none of it ours."""
    from jinja2 import TemplateError

    wrong_use = (ArithmeticError, TypeError, ValueError, LookupError, AttributeError)
    return (TemplateError, *wrong_use, RecursionError, SyntaxError, MemoryError)


@lru_cache(maxsize=512)
def _compiled(source: str) -> Callable[[Mapping[str, Any]], Any]:
    from jinja2 import nodes

    sandbox = _sandbox()
    tree = sandbox.parse(source)
    outputs = [part for output in tree.body for part in getattr(output, "nodes", [output])]
    for node in outputs:
        _allowed(node)
    used = [name for node in outputs for name in _names(node)]
    if len(outputs) == 1 and not isinstance(outputs[0], nodes.TemplateData):
        assign = nodes.Assign(nodes.Name("result", "store"), outputs[0], lineno=1)
        native = sandbox.from_string(nodes.Template([assign], lineno=1))
        return lambda names: native.make_module(_known(used, names)).result
    text = sandbox.from_string(source)
    return lambda names: text.render(_known(used, names))


def _allowed(node: Any) -> None:
    """Refuse every construct that is not on the list: no call, no loop, no power, no template tag."""
    kind = type(node).__name__
    if kind not in NODES:
        raise ValueError(f"{kind.lower()} is not allowed here, only {{{{ expressions }}}} without calls")
    if kind == "Filter" and node.name not in FILTERS:
        raise ValueError(_not_among("filter", node.name, FILTERS))
    if kind == "Test" and node.name not in TESTS:
        raise ValueError(_not_among("test", node.name, TESTS))
    for child in node.iter_child_nodes():
        _allowed(child)


def _names(node: Any) -> Iterator[str]:
    if type(node).__name__ == "Name":
        yield node.name
    for child in node.iter_child_nodes():
        yield from _names(child)


def dotted(source: str) -> List[Tuple[str, ...]]:
    """The names that an expression takes, each as far as it is written out: ``("nic", "mtu", "mtu")``.

    ``source`` must have been parsed before.
    """
    tree = _sandbox().parse(source)
    return [chain for output in tree.body for chain in _chains(output)]


def _chains(node: Any) -> Iterator[Tuple[str, ...]]:
    chain = _chain(node)
    if chain:
        yield chain
        return
    for child in node.iter_child_nodes():
        yield from _chains(child)


def _chain(node: Any) -> Tuple[str, ...]:
    kind = type(node).__name__
    if kind == "Name":
        return (str(node.name),)
    if kind == "Getattr" and _chain(node.node):
        return (*_chain(node.node), str(node.attr))
    if kind == "Getitem" and type(node.arg).__name__ == "Const" and _chain(node.node):
        return (*_chain(node.node), str(node.arg.value))
    return ()


def _known(used: List[str], names: Mapping[str, Any]) -> Dict[str, Any]:
    for name in used:
        if name not in names:
            raise LookupError(_undefined(name, "", names))
    return dict(names)


def _undefined(name: str, path: str, names: Mapping[str, Any]) -> str:
    where = f"{path} has no {name!r}" if path else f"{name!r} is not defined"
    near = difflib.get_close_matches(name, list(names), n=1)
    hint = f"; did you mean {near[0]!r}" if near else ""
    return f"{where}{hint}; there is: {', '.join(sorted(names)) or 'nothing'}"


def _not_among(kind: str, name: str, allowed: Tuple[str, ...]) -> str:
    return f"the {kind} {name!r} is not allowed; there is: {', '.join(allowed)}"


@lru_cache(maxsize=1)
def _sandbox() -> Any:  # noqa: C901 - the methods of its classes count too
    """Jinja2's sandbox, narrowed: data only through :class:`View`, arithmetic only on bounded numbers."""
    try:
        from jinja2 import StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError:
        raise MissingPrerequisite(
            "Profiles hold expressions, and the Python library jinja2 is missing.", "Install python3-jinja2."
        ) from None

    class _Unknown(StrictUndefined):
        @property
        def _undefined_message(self) -> str:
            owner, name = self._undefined_obj, self._undefined_name
            if isinstance(owner, View):
                return _undefined(str(name), owner.path, owner)
            return f"{name!r} cannot be taken from {type(owner).__name__} {str(owner)[:80]!r}"

    class _Sandbox(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if not (operator == "+" and type(left) is type(right) and isinstance(left, (str, list))):
                _number(left), _number(right)
            result = self.binop_table[operator](left, right)
            return result if isinstance(result, (str, list)) else _number(result)

        def getattr(self, obj: Any, attribute: str) -> Any:
            if isinstance(obj, StrictUndefined):
                return obj  # the first name that is missing is the one to tell
            known = isinstance(obj, View) and attribute in obj
            return obj[attribute] if known else self.undefined(obj=obj, name=attribute)

        def getitem(self, obj: Any, argument: Any) -> Any:
            if isinstance(argument, str):
                return self.getattr(obj, argument)
            if isinstance(obj, (list, tuple, str)) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
                return obj[argument]
            return self.undefined(obj=obj, name=argument)

    sandbox = _Sandbox(undefined=_Unknown)
    sandbox.globals.clear()
    sandbox.filters = {name: sandbox.filters[name] for name in FILTERS}
    sandbox.tests = {name: test for name, test in sandbox.tests.items() if name in TESTS}
    return sandbox


def _number(value: Any) -> Any:
    from jinja2 import Undefined

    if isinstance(value, Undefined):
        raise LookupError(value._undefined_message)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{str(value)[:80]!r} is no number to calculate with")
    if not abs(value) < LARGEST_NUMBER:
        raise ArithmeticError("a number is larger than 2**63")
    return value
