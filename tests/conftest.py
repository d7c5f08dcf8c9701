"""How the suite uses the machine."""

import os

_MOST = 4


def pytest_xdist_auto_num_workers() -> int:
    """Workers of `-n auto`: half as many again as there are processors, for many tests wait for other processes."""
    return min(_MOST, max(2, (os.cpu_count() or 1) * 3 // 2))
