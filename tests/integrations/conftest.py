"""The guard and the record that all integrations are tested with."""

from __future__ import annotations

import pytest
from event_record import Record

from unbarb.guard import Guard


@pytest.fixture(scope="session")
def guard() -> Guard:
    """The default policy and the embedded model."""
    return Guard(threads=1)


@pytest.fixture
def record() -> Record:
    return Record()
