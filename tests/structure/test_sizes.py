"""Scale: a file or a function that outgrows it is a design to rethink, not to split by the ruler."""

from statistics import median

from tests.structure.source import length, modules

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
MEDIAN_MAX, P90_MAX, P99_MAX = 8, 25, 45


def test_no_file_outgrows_its_idea() -> None:
    found = [
        f"{module.path}: {module.lines} lines"
        for module in modules("shared", "services", "deploy", "bench")
        if module.lines > FILE_LINES_MAX
    ]
    assert not found, "One idea a file: which two are in\n  " + "\n  ".join(found)


def test_no_function_outgrows_the_eye() -> None:
    found = [
        f"{module.path}:{function.lineno} {function.name}: {length(function)} lines"
        for module in modules()
        for function in module.functions()
        if length(function) > FUNCTION_LINES_MAX
    ]
    assert not found, "Name the steps, and let the function say their order:\n  " + "\n  ".join(found)


def test_functions_are_as_short_as_in_the_best_codebases() -> None:
    lengths = sorted(length(f) for module in modules("shared", "services") for f in module.functions())
    assert median(lengths) <= MEDIAN_MAX, f"the median function has {median(lengths)} lines"
    assert lengths[int(len(lengths) * 0.90)] <= P90_MAX
    assert lengths[int(len(lengths) * 0.99)] <= P99_MAX


def test_every_function_says_its_types() -> None:
    found = [
        f"{module.path}:{function.lineno} {function.name}"
        for module in modules("shared", "services", "deploy", "bench")
        for function in module.functions()
        if function.returns is None
    ]
    assert not found, "Say what it returns:\n  " + "\n  ".join(found)
