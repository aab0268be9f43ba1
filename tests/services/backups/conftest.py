"""What the tests of backups share."""

import pytest

from tests.services.backups.backing import Backed


@pytest.fixture
def backed(base, tmp_path) -> Backed:
    return Backed(base, tmp_path)


@pytest.fixture(scope="module")
def shared(new_base, tmp_path_factory) -> Backed:
    """One that tests only look at, with a good backup."""
    found = Backed(new_base(), tmp_path_factory.mktemp("shared"))
    assert found.create().state == "good"
    return found
