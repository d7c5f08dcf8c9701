"""Makes a frozen dataset with its state, as the code that runs it leaves them, for the tests of later releases.

    python tests/flows/frozen/make.py OUT.tar.gz     (with the release to freeze on PYTHONPATH)

Two backfills of a few pages of the demo's newsroom; `later/` holds pages that no run has seen.
"""

import sys
import tarfile
import tempfile
from pathlib import Path

from flows.config import load_dataset_config
from flows.demo.newsroom import Newsroom
from flows.runs import start_run
from flows.stages import Input, run_stages

PORT = 8000


def main(out: Path) -> None:
    """Makes the archive."""
    newsroom = Newsroom(7)
    wanted = [page for page in newsroom.truth(1, PORT) if page.wanted and page.copy_of is None]
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary) / "home"
        folder = home / "datasets" / "newsroom"
        (folder / "seeds").mkdir(parents=True)
        (folder / "recipe.toml").write_text('[topic]\nseeds = ["seeds/*.txt"]\n', encoding="utf-8")
        for seed in newsroom.seeds:
            (folder / "seeds" / f"{seed.name}.txt").write_text(seed.text, encoding="utf-8")
        for name, numbers in (("r1", slice(0, 4)), ("r2", slice(4, 6)), ("later", slice(6, 8))):
            (home / name).mkdir()
            for number, page in enumerate(wanted[numbers]):
                body = newsroom.page(f"{page.host}:{PORT}", page.url.split(str(PORT), 1)[1], 1).body
                (home / name / f"{number}.html").write_bytes(body)
        dataset = load_dataset_config(str(folder), {})
        for name in ("r1", "r2"):
            run_stages(start_run(dataset, name, "backfill"), Input("html", (home / name,)))
        with tarfile.open(out, "w:gz") as archive:
            archive.add(home, "home")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
