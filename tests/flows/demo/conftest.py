import pytest

from flows.demo import Newsroom


@pytest.fixture(scope="session")
def newsroom() -> Newsroom:
    """The newsroom that most tests look at."""
    return Newsroom(7)
