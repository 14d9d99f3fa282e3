"""The demonstration's sign-in as a process: how it starts, refuses to start, and keeps its keys."""

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
import pytest

from deploy.local.demo_data import PEOPLE
from deploy.local.oidc.keys import RETIRED_KEYS_MAX, TooManyRotations
from deploy.local.oidc.server import running_provider
from deploy.local.oidc.settings import OidcSettings
from deploy.local.personas import DEMO_PARTNER_ID, PERSONAS
from deploy.local.refusals import CannotStart, Status
from shared.contracts.vocabulary import Role, ScopeKind
from shared.ids import is_id
from tests.support.issuer import HandClock

pytestmark = pytest.mark.asyncio

READY_S_MAX = 30


@asynccontextmanager
async def started(**settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.local.oidc", env={**clean, **settings},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_it_says_where_it_is_and_ends_when_it_is_asked_to() -> None:
    async with started(CONCORD_DEMO="true", CONCORD_OIDC_PORT="0") as process:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), READY_S_MAX)).decode()
        said, address = line.rstrip("\n").rsplit(" ", 1)
        assert said == "oidc ready"
        async with httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{address}/jwks")).status_code == 200
        process.send_signal(signal.SIGTERM)
        out, err = await asyncio.wait_for(process.communicate(), READY_S_MAX)
        assert (process.returncode, out, err) == (0, b"", b"")


@pytest.mark.parametrize("demo", [{}, {"CONCORD_DEMO": "false"}], ids=str)
async def test_it_does_not_start_outside_demo_mode(demo: dict[str, str]) -> None:
    async with started(**demo) as process:
        out, err = await asyncio.wait_for(process.communicate(), READY_S_MAX)
        assert (process.returncode, out) == (Status.NOT_ALLOWED, b"")
        assert b"demo mode only" in err


async def test_wrong_settings_are_named_without_their_values() -> None:
    async with started(CONCORD_DEMO="true", CONCORD_OIDC_PORT="secret") as process:
        _, err = await asyncio.wait_for(process.communicate(), READY_S_MAX)
        assert process.returncode == 78
        assert b"oidc_port" in err.lower()
        assert b"secret" not in err


async def test_it_does_not_start_in_process_outside_demo_mode_either() -> None:
    with pytest.raises(CannotStart):
        async with running_provider(OidcSettings(demo=False)):
            raise AssertionError("it started")


async def test_a_taken_port_is_said_plainly() -> None:
    async with running_provider(OidcSettings(demo=True)) as first:
        taken = int(first.issuer.rsplit(":", 1)[1])
        with pytest.raises(CannotStart) as refused:
            async with running_provider(OidcSettings(demo=True, oidc_port=taken)):
                raise AssertionError("it started")
    assert refused.value.status is Status.TRY_AGAIN
    assert "Address already in use" in str(refused.value)


async def test_keys_in_a_file_outlive_a_restart_and_are_for_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "keys.json"
    settings = OidcSettings(demo=True, oidc_keys_file=file)
    async with running_provider(settings) as first:
        old = first.access_token("officer")
        first.rotate_keys()
        new = first.access_token("officer")
    async with running_provider(settings) as second:
        assert second.keys.check(old) and second.keys.check(new)
        assert second.keys.published() == first.keys.published()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"algorithm": "RS256"}', '{"algorithm": "ES256"}'])
async def test_a_damaged_file_of_keys_is_not_overwritten(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(text)
    with pytest.raises(CannotStart) as refused:
        async with running_provider(OidcSettings(demo=True, oidc_keys_file=file)):
            raise AssertionError("it started")
    assert refused.value.status is Status.DATA_DAMAGED
    assert file.read_text() == text


async def test_old_keys_are_published_for_their_grace_and_never_more_than_a_handful() -> None:
    clock = HandClock()
    settings = OidcSettings(demo=True, oidc_key_grace_s=60, oidc_algorithm="ES256")
    async with running_provider(settings, clock_real=clock) as provider:
        for _ in range(RETIRED_KEYS_MAX):
            provider.rotate_keys()
        with pytest.raises(TooManyRotations):
            provider.rotate_keys()
        clock.forward(59.999999)
        assert len(provider.keys.published()["keys"]) == RETIRED_KEYS_MAX + 2
        clock.forward(0.000001)
        assert len(provider.keys.published()["keys"]) == 2
        assert provider.rotate_keys() == provider.keys.current.kid


# Who there is to be.


async def test_there_is_a_persona_for_every_role() -> None:
    played = {grant.role for persona in PERSONAS for grant in persona.grants}
    assert played == set(Role)


async def test_one_persona_is_nobody_yet_so_that_somebody_can_be_invited() -> None:
    assert [persona.key for persona in PERSONAS if not persona.grants] == ["invited"]
    assert "invited" not in {person.key for person in PEOPLE}


async def test_personas_are_told_apart_and_live_somewhere() -> None:
    assert len({persona.subject for persona in PERSONAS}) == len(PERSONAS) == 15
    assert all(persona.email.endswith("@example.org") for persona in PERSONAS)
    assert all(ZoneInfo(persona.timezone) for persona in PERSONAS)
    assert {persona.language for persona in PERSONAS} == {"en", "fr", "es", "ru", "ar", "zh"}
    scripts = {persona.name[0] for persona in PERSONAS if not persona.name[0].isascii()}
    assert len(scripts) >= 6


async def test_a_persona_of_a_state_or_a_partner_is_bound_to_it() -> None:
    bound = {persona.key: dict(held.scope) for persona in PERSONAS for held in persona.grants if held.scope}
    assert bound["delegate-ken"] == {ScopeKind.STATE: "KEN"}
    assert bound["partner-user"] == {ScopeKind.PARTNER: DEMO_PARTNER_ID}
    assert set(bound["committee"]) == {ScopeKind.STATE}
    assert is_id(DEMO_PARTNER_ID, "ptn")
