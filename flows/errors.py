"""The errors that a user of the command line or of a flow can meet; each names the input, the reason and the remedy."""


class LikewiseError(Exception):
    """What went wrong, why, and what to do about it.

    Attributes:
        exit_code: what the command line returns for it; `docs/cli.md` lists them.
    """

    exit_code = 1

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"


class RecipeError(LikewiseError):
    """A recipe, or what it names, cannot be used."""

    exit_code = 2


class InputError(LikewiseError):
    """A file or folder given to a command cannot be used."""

    exit_code = 2


class SourcesError(LikewiseError):
    """The crawl reached none of its sources."""

    exit_code = 3


class StateError(LikewiseError):
    """The state folder is in use, broken, full, or not to be written."""

    exit_code = 4


class PublishError(LikewiseError):
    """The published dataset cannot be extended."""

    exit_code = 5


class ServerError(LikewiseError):
    """The Prefect server does not answer, or does not start."""

    exit_code = 6


class ClusterError(LikewiseError):
    """The workers that a recipe names cannot be reached, or could not do their part."""

    exit_code = 7


class InternalError(LikewiseError):
    """Something that likewise did not foresee: its own fault."""

    exit_code = 70  # EX_SOFTWARE of sysexits.h
