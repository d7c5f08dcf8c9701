"""Candidates that are not even queued, and why: their address, what it is of, or their date."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from cleaning.urls import date_in
from cleaning.verdict import Verdict
from crawler.candidates import Candidate, is_about_site, is_file
from crawler.guards import Guard, trap_reason


@dataclass(frozen=True, slots=True)
class Screen:
    """Refuses candidates by what is known before the fetch; `since` and `until` bound the publication dates."""

    guard: Guard
    since: datetime | None = None
    until: datetime | None = None

    def refusal(self, candidate: Candidate) -> tuple[Verdict, str] | None:
        """Why a candidate is not even queued, or None."""
        if reason := self.guard.refuses_url(candidate.url):
            return Verdict.REFUSED_ADDRESS, reason
        if reason := trap_reason(candidate.url):
            return Verdict.TRAP, reason
        if is_file(candidate.url):
            return Verdict.NOT_HTML, "the URL is of a file"
        if is_about_site(candidate.url):
            return Verdict.NOT_ARTICLE, "the URL is of a page about the site or for its users"
        if reason := self._outside(candidate):
            return Verdict.OUTSIDE_PERIOD, reason
        return None

    def _outside(self, candidate: Candidate) -> str:
        """Why a candidate is not of the period, or "". A day in the URL may be a day off, by its zone."""
        since, until = self.since, self.until
        published = candidate.published or day_in(candidate.url)
        slack = timedelta() if candidate.published else timedelta(days=1)
        if since and published and published + slack < since:
            return f"published {published:%Y-%m-%d}, before {since:%Y-%m-%d}"
        if since and not published and candidate.modified and candidate.modified < since:
            return f"last changed {candidate.modified:%Y-%m-%d}, before {since:%Y-%m-%d}"
        if until and published and published - slack > until:
            return f"published {published:%Y-%m-%d}, after {until:%Y-%m-%d}"
        return ""


def day_in(url: str) -> datetime | None:
    """Noon, in UTC, of the day that a URL names, or None."""
    day = date_in(url)
    return datetime.combine(day, time(12), UTC) if day else None
