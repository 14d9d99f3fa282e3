"""The reference pages that are made from the code. `python -m tests.structure.reference` writes them anew."""

import ast
import json
from collections.abc import Callable, Iterator
from importlib import import_module

from shared import errors
from shared.contracts import catalogue
from shared.contracts.vocabulary import PERMISSIONS
from shared.settings import Settings
from tests.structure.source import ROOT, modules

SERVICES = ("partners", "agreements", "notifications")
FOLDER = ROOT / "docs" / "reference"
STATUS = {
    name: kind.status
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.Refusal)
}


def refusals() -> dict[str, tuple[int, str]]:
    """Every refusal code with its status and sentence, as the calls in the code say them."""
    kinds = dict(STATUS)
    for module in modules("shared", "services"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
                for base in (base for base in bases if base in kinds):
                    kinds.setdefault(node.name, _own_status(node) or kinds[base])
    found: dict[str, tuple[int, str]] = {}
    for module in modules("shared", "services"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                code, sentence = _texts(node)
                if code is not None:
                    found.setdefault(code, (kinds[node.func.id], sentence))
    return found


def _own_status(kind: ast.ClassDef) -> int | None:
    """`status = 415`, where the class says one of its own."""
    for node in kind.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="status")], value=ast.Constant(value=int(status))):
                return status
    return None


def _texts(call: ast.Call) -> tuple[str | None, str]:
    if len(call.args) < 2:
        return None, ""
    code, sentence = call.args[:2]
    if isinstance(code, ast.JoinedStr):
        return "".join(_piece(value) for value in code.values), _sentence(sentence)
    if not isinstance(code, ast.Constant) or not isinstance(code.value, str):
        return None, ""
    return code.value, _sentence(sentence)


def _sentence(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_piece(value) for value in node.values)
    return ""


def _piece(value: ast.expr) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else "…"


def errors_page() -> Iterator[str]:
    yield "# Refusal codes"
    yield ""
    yield "Every refusal is a problem document (RFC 9457) with one of these codes. The code is stable,"
    yield "the sentence may be reworded and translated. `…` stands for a value or a noun."
    yield ""
    yield "| code | status | says |"
    yield "|---|---|---|"
    for code, (status, sentence) in sorted(refusals().items()):
        yield f"| `{code}` | {status} | {sentence} |"


def events_page() -> Iterator[str]:
    yield "# Events"
    yield ""
    yield "What is not listed here cannot be saved. Every event travels in a CloudEvents 1.0 envelope;"
    yield "`visibility` says how far."
    for type, kind in sorted(catalogue.EVENTS.items()):
        yield ""
        yield f"## {type}"
        yield ""
        doc = (kind.__doc__ or "").strip().splitlines()
        if doc and not doc[0].startswith("A fact"):
            yield doc[0]
            yield ""
        yield f"`{kind.__name__}`, visibility `{kind.visibility}`."
        yield ""
        yield "```json"
        yield json.dumps(kind.model_validate(kind.example).model_dump(mode="json"), indent=2)
        yield "```"


def settings_classes() -> list[type[Settings]]:
    found: list[type[Settings]] = [Settings]
    for service in SERVICES:
        module = import_module(f"services.{service}.settings")
        found += [
            kind
            for kind in vars(module).values()
            if isinstance(kind, type) and issubclass(kind, Settings) and kind is not Settings
        ]
    return found


def settings_page() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "Read from the environment; `concord settings` prints what is in force."
    seen: set[str] = set()
    for kind in settings_classes():
        yield ""
        yield f"## {'Every service' if kind is Settings else kind.__module__.split('.')[1].capitalize()}"
        yield ""
        yield "| setting | default | says |"
        yield "|---|---|---|"
        for name, field in kind.model_fields.items():
            if name not in seen:
                yield f"| `CONCORD_{name.upper()}` | `{field.default}` | {field.description} |"
        seen |= set(kind.model_fields)


def permissions_page() -> Iterator[str]:
    yield "# Permissions"
    yield ""
    yield "Who may do what. A grant may be narrowed to a State, a partner, a country or a unit; what is not"
    yield "here is denied."
    yield ""
    yield "| role | may |"
    yield "|---|---|"
    for role, permissions in PERMISSIONS.items():
        yield f"| {role} | {' '.join(f'`{name}`' for name in sorted(permissions))} |"


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "errors.md": errors_page,
    "events.md": events_page,
    "settings.md": settings_page,
    "permissions.md": permissions_page,
}


def page(name: str) -> str:
    return "\n".join(PAGES[name]()) + "\n"


if __name__ == "__main__":
    for name in PAGES:
        (FOLDER / name).write_text(page(name))
