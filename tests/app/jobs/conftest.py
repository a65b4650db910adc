from pathlib import Path

import pytest

from tests.app.jobs.data_folder import DataFolder
from tests.app.jobs.recording_reporter import RecordingReporter


@pytest.fixture
def data_folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture
def reporter() -> RecordingReporter:
    return RecordingReporter()
