"""The demo newsroom: a small, deterministic news web on loopback that knows the truth of each of its pages."""

from flows.demo.newsroom import Newsroom, Seed
from flows.demo.publishers import Publisher
from flows.demo.score import Score, score
from flows.demo.server import NewsServer, serve
from flows.demo.truth import Truth
from flows.demo.website import Response

__all__ = ["NewsServer", "Newsroom", "Publisher", "Response", "Score", "Seed", "Truth", "score", "serve"]
