"""The errors that a crawl ends with; each names the input, the reason and what to do next."""

from pathlib import Path


class CrawlError(Exception):
    """A crawl that cannot go on."""


class OptionsError(CrawlError):
    """Options that no crawl can be made from."""


class StoreError(CrawlError):
    """A file of the state that cannot be read or written."""

    def __init__(self, path: Path, reason: Exception) -> None:
        super().__init__(f"{path}: {reason}. Free space or set permissions there, then start again: the crawl resumes")
        self.path = path


class StateError(CrawlError):
    """A frontier that another process holds, or that another version wrote."""
