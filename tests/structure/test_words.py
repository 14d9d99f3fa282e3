"""What must not stand in the tree: an address of a package registry, a path of a machine, a test that does
not run.
"""

import ast
import re

from tests.structure.source import ROOT, modules, tracked

REGISTRY = re.compile(
    "|".join(
        (
            "py" + "pi.org",
            "python" + "hosted",
            "npm" + "js",
            "maven" + ".org",
            "--index" + "-url",
            "crates" + ".io",
        )
    )
)
MACHINE = re.compile(r"/(?:ro" + r"ot|wo" + r"rk|ho" + r"me/[a-z]+)/")
LEFT_OPEN = re.compile(r"\b(" + "TO" + "DO|FIX" + "ME|X" + r"XX)\b|Not" + "ImplementedError")
UNTRIED = re.compile(r"mark\.(sk" + r"ip|xf" + r"ail)|pytest\.(sk" + r"ip|xf" + r"ail)\(|importor" + "skip")
BINARY = (".png", ".ico", ".woff2", ".xlsx", ".gz")


def texts() -> list[tuple[str, str]]:
    return [
        (name, (ROOT / name).read_text(errors="replace")) for name in tracked() if not name.endswith(BINARY)
    ]


def naming(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_registry_is_named() -> None:
    assert naming(REGISTRY) == [], "Packages are named, never where they come from: an installer knows that."


def test_no_machine_path_is_named() -> None:
    assert naming(MACHINE) == [], "Paths are relative to the project, or settings."


def test_nothing_is_left_open() -> None:
    assert naming(LEFT_OPEN) == [], "Build it, or leave it out and say so in the docs."


def test_every_test_runs() -> None:
    found = [module.path for module in modules("tests") if UNTRIED.search(module.text)]
    assert found == [], "A part that is missing is installed; a test that fails is mended or its product is."


def asserts(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Assert) for node in ast.walk(function))


def called(function: ast.AST) -> set[str]:
    """The names of what it calls, with and without `await`."""
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}


def test_every_test_asserts() -> None:
    """In its own body, by `raises`, or in what it calls of the tests' own."""
    functions = [(module, function) for module in modules("tests") for function in module.functions()]
    asserting = {"raises"} | {f.name for _, f in functions if asserts(f) and not f.name.startswith("test_")}
    asserting |= {f.name for _, f in functions if called(f) & asserting and not f.name.startswith("test_")}
    found = [
        f"{module.path}:{function.lineno} {function.name}"
        for module, function in functions
        if function.name.startswith("test_") and not asserts(function) and not called(function) & asserting
    ]
    assert found == [], "A test without an assertion proves nothing."
