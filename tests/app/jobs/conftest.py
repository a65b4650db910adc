from pathlib import Path

import pytest

from tests.app.jobs.house import House
from tests.app.jobs.listeners import Listener


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "data")


@pytest.fixture
def listener() -> Listener:
    return Listener()
