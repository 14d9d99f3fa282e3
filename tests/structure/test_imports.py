"""Who may import whom. The messages say what to do instead."""

from importlib import import_module

import pytest

from tests.structure.source import Module, modules

SERVICES = ("partners", "agreements", "notifications")
DOMAIN_MAY = ("shared.contracts", "shared.errors", "shared.ids")
STANDARD_ASYNC_OR_CLOCK = ("asyncio", "time", "random", "socket", "os", "threading")
ONLY_IN = {
    "motor": ("shared/storage/mongo.py",),
    "faststream": ("shared/messaging/",),
    "aiokafka": ("shared/messaging/",),
    "fastapi": (
        "shared/http/",
        "/routes.py",
        "/routes/",
        "/pages.py",
        "services/__main__.py",
    ),
    "aiohttp": ("/adapters/",),
    "aiosmtplib": ("/adapters/",),
}


def room_of(module: Module) -> tuple[str, str] | None:
    parts = module.path.split("/")
    return (parts[1], parts[2]) if parts[0] == "services" and len(parts) > 3 else None


def breaches(condition: str, found: list[str]) -> None:
    assert not found, condition + "\n  " + "\n  ".join(found)


def test_no_service_knows_another() -> None:
    found = [
        f"{module.path}:{line} imports {name}"
        for module in modules("services")
        if (service := module.path.split("/")[1]) in SERVICES
        for line, name in module.imports()
        if name.startswith("services.") and name.split(".")[1] in SERVICES and name.split(".")[1] != service
    ]
    breaches(
        "Services know of each other what shared/contracts says: hear the event.",
        found,
    )


def test_shared_knows_no_service_and_nothing_of_deployment() -> None:
    found = [
        f"{module.path}:{line} imports {name}"
        for module in modules("shared")
        for line, name in module.imports()
        if name.split(".")[0] in ("services", "deploy", "tests", "bench")
    ]
    breaches("shared/ is plumbing and the published language: pass in what it needs from a service.", found)


def test_services_do_not_reach_into_deployment_or_tests() -> None:
    found = [
        f"{module.path}:{line} imports {name}"
        for module in modules("services")
        if module.path not in ("services/cli.py", "services/__main__.py")
        for line, name in module.imports()
        if name.split(".")[0] in ("deploy", "tests", "bench")
    ]
    breaches("A service is given what it needs by its composition root.", found)


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_each_library_has_one_door(library: str) -> None:
    allowed = ONLY_IN[library]
    found = [
        f"{module.path}:{line} imports {name}"
        for module in modules("shared", "services")
        for line, name in module.imports()
        if name.split(".")[0] == library and not any(place in module.path for place in allowed)
    ]
    breaches(f"{library} is used in {', '.join(allowed)} only: call what is there.", found)


def test_a_domain_is_pure() -> None:
    found = []
    for module in modules("services"):
        if "/domain" not in module.path:
            continue
        for line, name in module.imports():
            own = name.startswith("services.") and (".domain" in name or ".profiles" in name)
            ours = name.split(".")[0] in ("shared", "services")
            if ours and not own and not name.startswith(DOMAIN_MAY):
                found.append(f"{module.path}:{line} imports {name}")
            if name.split(".")[0] in STANDARD_ASYNC_OR_CLOCK:
                found.append(f"{module.path}:{line} imports {name}")
        found += [
            f"{module.path} has async functions"
            for f in module.functions()
            if f.__class__.__name__.startswith("Async")
        ]
    breaches("A domain decides on what it is given: take the time, the id or the fact as an argument.", found)


def test_a_room_uses_only_rooms_that_come_before_it() -> None:
    found = []
    for module in modules("services"):
        room = room_of(module)
        if room is None:
            continue
        order = import_module(f"services.{room[0]}").ROOMS
        for line, name in module.imports():
            parts = name.split(".")
            if parts[:2] != ["services", room[0]] or len(parts) < 3 or parts[2] not in order:
                continue
            if order.index(parts[2]) > order.index(room[1]):
                found.append(f"{module.path}:{line} imports {name}")
    breaches(
        "Rooms are in an order (ROOMS of the service): move the shared thing to the earlier room.",
        found,
    )


def test_handlers_know_no_web_and_no_broker() -> None:
    found = [
        f"{module.path}:{line} imports {name}"
        for module in modules("services")
        if module.path.endswith(("/handlers.py", "/commands.py"))
        for line, name in module.imports()
        if name.startswith(("shared.http", "shared.messaging", "fastapi"))
    ]
    breaches("A handler loads, decides and saves; whoever calls it knows where the command came from.", found)
