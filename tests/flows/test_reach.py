"""Which settings a recipe lacks to reach its sources."""

import pytest

from flows.config import NetworkSection
from flows.reach import lacking_settings


@pytest.mark.parametrize(
    ("urls", "lacking"),
    [
        ([], []),
        (["https://news.example/", "http://news.example/feed"], []),
        (["http://127.0.0.1/"], ["allow_loopback = true"]),
        (["http://[::1]/"], ["allow_loopback = true"]),
        (["http://localhost:8000/"], ["allow_loopback = true", "ports = [80, 443, 8000]"]),
        (["https://news.example:8443/", "http://news.example:8080/"], ["ports = [80, 443, 8080, 8443]"]),
    ],
)
def test_loopback_and_ports_need_settings(urls: list[str], lacking: list[str]) -> None:
    """The open web needs none; this machine and other ports each need one, with the ports that are allowed already."""
    assert lacking_settings(NetworkSection(), urls) == lacking


def test_what_is_set_is_not_lacking() -> None:
    """A recipe that allows them lacks nothing."""
    allowing = NetworkSection(allow_loopback=True, ports=[8000])
    assert lacking_settings(allowing, ["http://127.0.0.1:8000/"]) == []
