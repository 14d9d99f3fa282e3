"""An endpoint's life: registered, rotated, switched off and on."""

from functools import reduce

import pytest

from services.notifications.webhooks.endpoint import GRACE_S_MAX, Endpoint
from shared.contracts.envelope import Event
from shared.contracts.notifications.endpoint import (
    EndpointDisabled,
    EndpointEnabled,
    EndpointRegistered,
    EndpointSecretRotated,
)
from shared.errors import Invalid


def registered() -> Endpoint:
    (event,) = Endpoint.register("whe_1", owner_id="sys_1", types=["partner.*", "agreement.*"])
    return Endpoint.begin(event)


def after(endpoint: Endpoint, events: list[Event]) -> Endpoint:
    return reduce(Endpoint.apply, events, endpoint)


def test_an_endpoint_says_whose_it_is_and_what_it_wants() -> None:
    assert registered() == Endpoint(id="whe_1", owner_id="sys_1", types=("agreement.*", "partner.*"))
    (event,) = Endpoint.register("whe_1", owner_id="sys_1", types=["partner.*"])
    assert isinstance(event, EndpointRegistered)
    assert set(event.model_dump()) == {"endpoint_id", "owner_id", "types"}, "no address, no secret"


def test_an_endpoint_that_wants_nothing_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        Endpoint.register("whe_1", owner_id="sys_1", types=[])
    assert refusal.value.code == "types_missing"


def test_disabling_twice_and_enabling_twice_happens_once() -> None:
    disabled = after(registered(), events := registered().disable("gone"))
    assert [type(event) for event in events] == [EndpointDisabled]
    assert (disabled.disabled_because, disabled.disable("again")) == ("gone", [])
    enabled = after(disabled, events := disabled.enable("Receiver repaired"))
    assert [type(event) for event in events] == [EndpointEnabled]
    assert (enabled.disabled_because, enabled.enable("again")) == (None, [])


@pytest.mark.parametrize("grace_s", [0, GRACE_S_MAX])
def test_a_secret_is_rotated_with_a_grace_of_up_to_a_week(grace_s: int) -> None:
    (event,) = registered().rotate(grace_s)
    assert isinstance(event, EndpointSecretRotated)
    assert (event.grace_s, after(registered(), [event]).rotations) == (grace_s, 1)


@pytest.mark.parametrize("grace_s", [-1, GRACE_S_MAX + 1])
def test_no_other_grace_is_given(grace_s: int) -> None:
    with pytest.raises(Invalid) as refusal:
        registered().rotate(grace_s)
    assert refusal.value.code == "grace_too_long"
