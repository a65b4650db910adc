"""What holds for all tests."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Conversations with real processes first: files go to workers in this order, and a long one
    that begins last is waited for by all.
    """
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)
