"""How the suite uses the machine."""

import os

import pytest

_MOST = 4
_LONGEST_FIRST = ("test_schedule.py", "test_runners.py", "test_batch.py", "test_kill.py", "test_pipeline.py")
"""Files of tests that wait for servers and clusters; begun last, they would leave the other workers idle."""


def pytest_xdist_auto_num_workers() -> int:
    """Workers of `-n auto`: half as many again as there are processors, for many tests wait for other processes."""
    return min(_MOST, max(2, (os.cpu_count() or 1) * 3 // 2))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first, the others in their order."""
    rank = {name: place for place, name in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))
