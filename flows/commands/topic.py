"""The commands on what a dataset is about: label and explain."""

from typing import Annotated

import typer

from flows.commands.options import AsJson, Name
from flows.commands.terminal import OUT, errors_for_people, print_json
from flows.config import load_dataset_config
from flows.curation.explain import ask, effect, explanation, show_effect, show_explanation, show_no_answer, text_named
from flows.curation.labels import as_record, borderline, near_threshold, save_labels, told
from flows.stages import topic_profile

_BELONGS, _DOES_NOT = "An article that belongs, by id or URL; repeat.", "An article that does not belong; repeat."
_ASKED = "Ask about that run's articles.  [default: the last 30 runs]"
_TEXT = "A text or HTML file, the URL or id of an article, or a text."
Yes = Annotated[list[str] | None, typer.Option("--yes", metavar="ID", help=_BELONGS, show_default=False)]
No = Annotated[list[str] | None, typer.Option("--no", metavar="ID", help=_DOES_NOT, show_default=False)]
OfRun = Annotated[str | None, typer.Option("--run", metavar="ID", help=_ASKED)]
Text = Annotated[str, typer.Argument(help=_TEXT, show_default=False)]


def label(
    name: Name,
    yes: Yes = None,
    no: No = None,
    count: Annotated[int, typer.Option("--count", min=1, max=100, help="How many articles to ask about.")] = 10,
    run_id: OfRun = None,
    as_json: AsJson = False,
) -> None:
    """Teach the topic: shows borderline articles, asks whether they belong, and learns from the answers.

    With --yes or --no it asks nothing; with --json alone it only lists what it would ask about.
    """
    with errors_for_people():
        dataset = load_dataset_config(name)
        before = topic_profile(dataset)
        if yes or no:
            answers = told(dataset, yes or (), no or ())
        else:
            articles = borderline(dataset, before, count, run_id)
            if as_json:
                print_json([explanation(before, article) for article in articles])
                return
            answers = ask(before, articles, OUT)
            if not answers:
                show_no_answer(articles, OUT)
                return
        stored = save_labels(dataset, answers)
        found = effect(before, topic_profile(dataset), near_threshold(dataset, before))
    if as_json:
        print_json(found | {"labels": [as_record(one) for one in stored]})
    else:
        show_effect(found, OUT)


def explain(
    name: Name,
    text: Text,
    as_json: AsJson = False,
) -> None:
    """Show why a text is in or out: its score and threshold, the nearest seed, and the terms that made the score."""
    with errors_for_people():
        dataset = load_dataset_config(name)
        profile, article = topic_profile(dataset), text_named(dataset, text)
    if as_json:
        print_json(explanation(profile, article))
    else:
        show_explanation(profile, article, OUT)
