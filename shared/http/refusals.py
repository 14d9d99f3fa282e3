"""Which refusals an operation can give, read from the code itself, so that its description cannot say
anything else.

From an endpoint on, every function that is named in it is read in turn, and what they make of the kinds of
`Refusal` is collected: the code, the status, the sentence. What a name means is looked up in the module that
the function stands in; what a method belongs to is told by the types that are written beside it. Where that
is not enough, every method of that name of the classes the module knows is read. So more may be found than
can happen, hardly less; nothing is run for it, and nothing is needed of it for an answer to be right.

Refusals stand in three places: in a call (`raise NotFound("partner_not_found", …)`), in a name that holds
one, and at an index of a repository, which says what is refused when somebody else was first.
"""

import ast
import builtins
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from types import FunctionType, ModuleType, UnionType
from typing import Annotated, Any, Self, TypeVar, Union, get_args, get_origin, get_type_hints

from shared.errors import Refusal
from shared.storage.repository import Repository

# Here is what all operations use alike; its refusals are told once (common_refusals.py).
_BENEATH = ("shared.storage.", "shared.messaging.", "shared.telemetry", "shared.http.json_reading")
_READ_NEVERTHELESS = "shared.storage.repository"
_UNKNOWN = object()
_MADE_BY = ("__init__", "__post_init__")


@dataclass(frozen=True, order=True)
class Said:
    """`…` stands where a sentence names a value."""

    status: int
    code: str
    sentence: str


def refusals_of(roots: Sequence[Callable[..., Any]], *, skip: Sequence[str] = _BENEATH) -> tuple[Said, ...]:
    """All that these and what they use may refuse; of one code the first that was found. Functions of modules
    whose names begin as in `skip` are not read.
    """
    packages = {"shared", "services"} | {root.__module__.split(".")[0] for root in roots}
    found: dict[str, Said] = {}
    waiting = [_Step(_function(root), None) for root in roots]
    seen = set(waiting)
    while waiting:
        all_said, further = _read(waiting.pop(0))
        for said in all_said:
            found.setdefault(said.code, said)
        for step in further:
            module = step.function.__module__
            if step not in seen and module.split(".")[0] in packages and not _is_skipped(module, skip):
                seen.add(step)
                waiting.append(step)
    return tuple(sorted(found.values()))


def forget() -> None:
    """What was read of the code takes memory that nobody needs once it is told."""
    for kept in (_read, _functions_in, _hints):
        kept.cache_clear()


@cache
def _read(step: "_Step") -> tuple[tuple[Said, ...], tuple["_Step", ...]]:
    """What one function may refuse itself, and what it uses."""
    reading = _Reading(step)
    return tuple(reading.said()), tuple(dict.fromkeys(reading.further()))


def _is_skipped(module: str, skip: Sequence[str]) -> bool:
    return module != _READ_NEVERTHELESS and module.startswith(tuple(skip))


@dataclass(frozen=True, eq=False)
class _Step:
    """A function, and what it is a method of where that is known itself and not only by its type."""

    function: FunctionType
    bound: object | None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Step) and (self.function, id(self.bound)) == (
            other.function,
            id(other.bound),
        )

    def __hash__(self) -> int:
        return hash((self.function, id(self.bound)))


class _Reading:
    """One function as it is read."""

    def __init__(self, step: _Step) -> None:
        self._function, self._bound = step.function, step.bound
        self._node = _node_of(step.function)
        self._nodes = list(ast.walk(self._node)) if self._node is not None else []

    def said(self) -> Iterator[Said]:
        for node in self._nodes:
            if isinstance(node, ast.Call):
                yield from self._made(node)
            elif isinstance(node, ast.Name | ast.Attribute):
                known = self._object(node)
                if isinstance(known, Refusal):
                    yield _of(known)
                elif isinstance(node, ast.Attribute) and node.attr in ("create", "save"):
                    yield from self._refused_by_index(node)

    def _refused_by_index(self, saving: ast.Attribute) -> Iterator[Said]:
        """Where somebody else was first: of what is made, and of what is changed by a command that names a
        field of the index.
        """
        repository = self._object(saving.value)
        if not isinstance(repository, Repository):
            return
        told: set[Any] = {hint for hint in self._types.values() if inspect.isclass(hint)} - {repository.kind}
        named = {name for hint in told for name in _hints(hint)}
        for index in repository.documents.indexes:
            if index.refusal and (saving.attr == "create" or named & {key for key, _ in index.keys}):
                yield _of(index.refusal)

    def _made(self, call: ast.Call) -> Iterator[Said]:
        kind = self._object(call.func)
        if not (inspect.isclass(kind) and issubclass(kind, Refusal)) or len(call.args) < 2:
            return
        code, sentence = (self._text(argument) for argument in call.args[:2])
        if code and "…" not in code:
            yield Said(kind.status, code, sentence)

    def _text(self, node: ast.expr) -> str:
        match node:
            case ast.Constant():
                return str(node.value)
            case ast.JoinedStr():
                return "".join(self._text(piece) for piece in node.values)
            case ast.FormattedValue():
                return self._text(node.value)
            case ast.Call(func=ast.Attribute(attr="replace", value=inner)):
                return self._text(inner).replace("_", " ")
        known = self._object(node)
        return known if isinstance(known, str) else "…"

    def further(self) -> Iterator[_Step]:
        for node in self._nodes:
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
                yield from self._steps(node)

    def _steps(self, node: ast.Name | ast.Attribute) -> Iterator[_Step]:
        known = self._object(node)
        if known is not _UNKNOWN:
            bound = None
            if isinstance(node, ast.Attribute):
                owner = self._object(node.value)
                bound = owner if isinstance(owner, Repository) else None
            yield from _steps_into(known, bound)
        elif isinstance(node, ast.Attribute):
            owner_type = self._type(node.value)
            owners = [owner_type] if owner_type else self._classes_with(node.attr)
            for owner in owners:
                yield from _steps_into(_member(owner, node.attr), None)

    def _classes_with(self, name: str) -> list[type]:
        known = self._function.__globals__.values()
        return [kind for kind in known if inspect.isclass(kind) and name in vars(kind)]

    def _object(self, node: ast.expr) -> Any:
        """What the expression is itself, where that is known without running anything."""
        match node:
            case ast.Name(id="self") if self._bound is not None:
                return self._bound
            case ast.Name(id=name) if name not in self._types:
                return self._known.get(name, _UNKNOWN)
            case ast.Attribute(value=value, attr=name):
                owner = self._object(value)
                return _UNKNOWN if owner is _UNKNOWN else _attribute(owner, name)
        return _UNKNOWN

    @cached_property
    def _known(self) -> dict[str, Any]:
        """The names of the module and those around the function."""
        names, cells = self._function.__code__.co_freevars, self._function.__closure__ or ()
        around = {name: _content(cell) for name, cell in zip(names, cells, strict=True)}
        return {**vars(builtins), **self._function.__globals__, **around}

    @cached_property
    def _types(self) -> dict[str, Any]:
        """Of each name of the function's own: its type, or the expression that it was set to."""
        found: dict[str, Any] = {inner.arg: None for inner in self._nodes if isinstance(inner, ast.arg)}
        for node in self._nodes:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found[node.targets[0].id] = node.value
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.setdefault(node.id, None)
        found |= {name: hint for name, hint in _hints(self._function).items() if name in found}
        if "self" in found or "cls" in found:
            found |= {"self": _owner(self._function), "cls": _owner(self._function)}
        return found

    def _type(self, node: ast.expr, depth: int = 0) -> type | None:
        if depth > 8:
            return None
        known = self._object(node)
        if known is not _UNKNOWN:
            return None if isinstance(known, ModuleType | type) else type(known)
        match node:
            case ast.Name(id=name):
                hint = self._types.get(name)
                return self._type(hint, depth + 1) if isinstance(hint, ast.expr) else _plain(hint)
            case ast.Await(value=value):
                return self._type(value, depth + 1)
            case ast.Call(func=function):
                return self._type_made(function, depth)
            case ast.Attribute(value=value, attr=name):
                owner = self._type(value, depth + 1)
                return _type_of_member(owner, name) if owner else None
        return None

    def _type_made(self, function: ast.expr, depth: int) -> type | None:
        """Of what a call gives."""
        known, owner = self._object(function), None
        if isinstance(function, ast.Attribute):
            owner = self._object(function.value)
            if known is _UNKNOWN:
                owner = self._type(function.value, depth + 1)
                known = _member(owner, function.attr) if owner else _UNKNOWN
        if inspect.isclass(known):
            return known
        if not callable(known):
            return None
        hint = _hints(_function(known)).get("return")
        if hint is Self:
            return owner if inspect.isclass(owner) else None
        if isinstance(owner, Repository) and _mentions_variable(hint):
            return owner.kind
        return _plain(hint)


def _of(refusal: Refusal) -> Said:
    return Said(refusal.status, refusal.code, refusal.message)


def _steps_into(known: Any, bound: object | None) -> Iterator[_Step]:
    if isinstance(known, property) and known.fget is not None:
        known = known.fget
    elif isinstance(known, cached_property | classmethod | staticmethod):
        known = known.func if isinstance(known, cached_property) else known.__func__
    if inspect.isclass(known):
        makers = (vars(known).get(name) for name in _MADE_BY)
        yield from (_Step(maker, None) for maker in makers if isinstance(maker, FunctionType))
    elif callable(known) and isinstance(function := _function(known), FunctionType):
        yield _Step(function, bound)


def _function(known: Any) -> Any:
    """The function that was written, whatever was put around it."""
    while isinstance(known, partial):
        known = known.func
    known = inspect.unwrap(known) if callable(known) else known
    return getattr(known, "__func__", known)


def _attribute(owner: Any, name: str) -> Any:
    """Looked up without running a property."""
    found = inspect.getattr_static(owner, name, _UNKNOWN)
    if isinstance(found, property | cached_property):
        return found if inspect.isclass(owner) else _UNKNOWN
    return found.__func__ if isinstance(found, classmethod | staticmethod) else found


def _member(owner: type, name: str) -> Any:
    return inspect.getattr_static(owner, name, _UNKNOWN)


def _type_of_member(owner: type, name: str) -> type | None:
    found = _member(owner, name)
    if isinstance(found, property) and found.fget is not None:
        return _plain(_hints(found.fget).get("return"))
    if isinstance(found, cached_property):
        return _plain(_hints(found.func).get("return"))
    return _plain(_hints(owner).get(name))


@cache
def _hints(known: Any) -> dict[str, Any]:
    try:
        return get_type_hints(known, include_extras=False)
    except (NameError, TypeError, AttributeError):
        return {}


def _plain(hint: Any) -> type | None:
    """The class that a hint speaks of, where it speaks of one."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        named = [one for one in get_args(hint) if one is not type(None)]
        return _plain(named[0]) if len(named) == 1 else None
    if origin is Annotated:
        return _plain(get_args(hint)[0])
    hint = origin or hint
    return hint if inspect.isclass(hint) else None


def _mentions_variable(hint: Any) -> bool:
    return isinstance(hint, TypeVar) or any(isinstance(one, TypeVar) for one in get_args(hint))


def _owner(function: FunctionType) -> type | None:
    """The class whose method it is."""
    found: Any = sys.modules.get(function.__module__)
    for step in function.__qualname__.split(".")[:-1]:
        found = getattr(found, step, None)
    return found if inspect.isclass(found) else None


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # Not set yet.
        return _UNKNOWN


def _node_of(function: FunctionType) -> ast.AST | None:
    code = getattr(function, "__code__", None)
    return _functions_in(function.__module__).get(code.co_firstlineno) if code else None


@cache
def _functions_in(module: str) -> dict[int, ast.AST]:
    """By the line that each begins on, the first of its decorators counted."""
    found: dict[int, ast.AST] = {}
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[min([node.lineno, *(one.lineno for one in node.decorator_list)])] = node
        elif isinstance(node, ast.Lambda):
            found.setdefault(node.lineno, node)
    return found
