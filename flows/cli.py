"""The command line: `likewise COMMAND`; the module of a command is imported when the command is called."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

PLACES = {
    "demo": ("flows.commands.setup:demo", "Serve a small made-up newsroom here, and grow a dataset from it."),
    "new": ("flows.commands.setup:new", "Make a recipe from seed files."),
    "doctor": ("flows.commands.setup:doctor", "Check the environment, and a dataset's recipe, seeds and state."),
    "run": ("flows.commands.run:run", "Crawl, clean, filter, recognise copies and publish, as a Prefect flow run."),
    "serve": ("flows.commands.serve:serve", "Run datasets on their recipes' schedules, on a Prefect server."),
    "status": ("flows.commands.serve:status", "Show a dataset's last and next run, its freshness, and what is wrong."),
    "backfill": ("flows.commands.run:backfill", "Grow a dataset once from WARC files, HTML files or a list of URLs."),
    "crawl": ("flows.commands.run:crawl", "Only fetch: find candidate articles and store their pages as WARC."),
    "clean": ("flows.commands.run:clean", "Only extract: turn the run's WARC pages into clean articles."),
    "filter": ("flows.commands.run:filter_", "Only judge: which of the run's articles are like the seeds."),
    "copies": ("flows.commands.run:copies", "Only compare: which articles are copies or later editions of known ones."),
    "dedup": ("flows.commands.dedup:dedup", "Recognise the copies among all articles in Parquet files at once."),
    "publish": ("flows.commands.run:publish", "Only publish: a new version from all runs that are not in it yet."),
    "report": ("flows.commands.run:report_", "Show what became of every page of a run."),
    "label": ("flows.commands.topic:label", "Teach the topic: say of borderline articles whether they belong."),
    "explain": ("flows.commands.topic:explain", "Show why a text is in or out."),
    "inspect": (
        "flows.commands.inspection:inspect",
        "Show the blocks of one page, kept and removed, and its metadata.",
    ),
    "furniture": (
        "flows.commands.furniture:furniture",
        "List the lines that repeat across a host's articles, or forget them.",
    ),
    "versions": ("flows.commands.history:versions", "List the versions that are still there."),
    "diff": ("flows.commands.history:diff", "Show which articles came, went or changed between two versions."),
    "rollback": ("flows.commands.history:rollback", "Publish the rows of an earlier version again."),
    "takedown": ("flows.commands.takedown:takedown", "Remove articles everywhere, and keep them out."),
    "compact": ("flows.commands.history:compact", "Publish the same rows in fewer files."),
    "reclean": ("flows.commands.derive:reclean", "Derive everything again from the stored pages, as one version."),
    "hydrate": ("flows.commands.derive:hydrate", "Rebuild the texts of a dataset that was published without them."),
    "gc": ("flows.commands.history:gc", "Clear away versions that were replaced long ago."),
    "push": ("flows.commands.replicas:push", "Bring copies on S3 or the Hub up to the published version."),
    "pull": ("flows.commands.replicas:pull", "Restore the local folder from a copy on S3 or the Hub."),
}
"""Each command in the order of `likewise --help`: its `module:function`, and its line there."""


class _Commands(Mapping[str, Any]):
    """The commands by name, each imported when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        module, _, function = PLACES[name][0].partition(":")
        alone = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
        alone.command(name)(getattr(import_module(module), function))
        return get_command(alone)

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)


class _LazyGroup(TyperGroup):
    """Lists its commands from PLACES alone, and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands()  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - as the base class has it
        """The names, in the order of PLACES."""
        return list(PLACES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - as the base class has it
        """The line that the list of commands shows; None for a name that is not in it."""
        return TyperCommand(cmd_name, help=PLACES[cmd_name][1]) if cmd_name in PLACES else None

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that is called, imported."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, self.commands[name] if name else found, rest


app = typer.Typer(
    name="likewise",
    cls=_LazyGroup,
    help="From a few seed articles to a dataset of articles like them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 done, 1 failed, 2 bad input or recipe, 3 no source answered, 4 state or disk, "
    "5 published dataset, 6 Prefect server, 7 workers, 70 a fault in likewise, 130 stopped by Ctrl-C.",
)


@app.callback()
def _likewise() -> None:
    """Makes the application a group; its commands are those of PLACES."""


if __name__ == "__main__":
    app()
