"""What we know of a partner, from what its topic says."""

from datetime import timedelta

from services.agreements.standing.domain.standing import PartnerStanding, Standing
from shared.contracts.partners.partner import PartnerRegistered
from tests.unit.agreements.building import ACTIVE, NOW, SUSPENDED, SUSPENSION


def test_a_registered_partner_is_active_as_of_its_registration() -> None:
    event = PartnerRegistered.model_validate(PartnerRegistered.example)
    standing = PartnerStanding.registered(event, version=1, as_of=NOW)
    assert (standing.standing, standing.version, standing.as_of) == (Standing.ACTIVE, 1, NOW)


def test_a_suspension_is_remembered_by_its_event_until_it_is_over() -> None:
    later = NOW + timedelta(days=1)
    reinstated = SUSPENDED.reinstated(version=3, as_of=later)
    assert (SUSPENDED.is_suspended, SUSPENDED.suspended_by) == (True, SUSPENSION)
    assert (reinstated.is_suspended, reinstated.suspended_by) == (False, None)
    assert (reinstated.version, reinstated.as_of) == (3, later)


def test_a_standing_is_kept_whole() -> None:
    for standing in (ACTIVE, SUSPENDED):
        assert PartnerStanding.of(standing.document()) == standing
