"""Answers to requests for robots.txt and a site's other declarations -> its policy.

Each function returns the origin whose policy may be decided on now, or "" where more must be asked for first.
"""

import logging
from dataclasses import replace

from cleaning.verdict import Verdict
from crawler.answers import Answer, Trouble
from crawler.entries import Task
from crawler.payload import PayloadError, decode
from crawler.policies import DOCUMENT_BYTES
from crawler.policy import ROBOTS_BYTES
from crawler.run import Run

log = logging.getLogger("crawler")

_ENCODED_ROBOTS = 8 * ROBOTS_BYTES


def take_robots(run: Run, task: Task, answer: Answer) -> str:
    """Deals with the answer to a request for robots.txt (RFC 9309, 2.3.1); inside the caller's transaction."""
    if answer.target is not None:
        run.gates.succeeded(task.host, run.now())
        return _follow(run, task, answer.target)
    if answer.status == 429 or answer.status >= 500:
        return robots_failed(run, task, answer.trouble() or Trouble(Verdict.FETCH_FAILED, f"HTTP {answer.status}"))
    try:
        body = decode(answer.exchange.body, answer.headers.get("content-encoding", ""), _ENCODED_ROBOTS, lenient=True)
    except PayloadError as error:
        run.policies.robots_failed(task, str(error), run.now(), final=True)
    else:
        run.policies.robots_answered(task, answer.status, body, run.now())
    # Only now is it known how long the site wants us to wait.
    run.gates.succeeded(task.host, run.now(), run.extra_delay(task))
    return task.origin


def _follow(run: Run, task: Task, target: str) -> str:
    """Follows a redirect; after too many, or to a refused address, there are no rules (RFC 9309, 2.3.1.2)."""
    following = None if run.guard.refuses_url(target) else run.policies.robots_redirected(task, target)
    if following is None:
        run.policies.robots_answered(task, 404, b"", run.now())
        return task.origin
    run.push(following)
    return ""


def robots_failed(run: Run, task: Task, trouble: Trouble) -> str:
    """Deals with a robots.txt that could not be read: another attempt later, or nothing of the origin is fetched."""
    run.count_trouble(task, replace(trouble, is_host=True))
    if trouble.verdict is Verdict.REFUSED_ADDRESS:
        for waiting in run.frontier.waiting_of(task.origin):
            run.drop(waiting, trouble.verdict, trouble.reason)
    is_final = run.gates.get(task.host).closed is not None or not trouble.may_retry
    robots = run.policies.robots_failed(task, trouble.reason, run.now(), final=is_final)
    if robots is None:
        run.push(task)
        return ""
    return task.origin


def take_document(run: Run, task: Task, answer: Answer) -> str:
    """Deals with the answer to a request for a declaration; whatever is no good answer declares nothing."""
    run.gates.succeeded(task.host, run.now(), run.extra_delay(task))
    body = b""
    if answer.status == 200:
        try:
            body = decode(
                answer.exchange.body, answer.headers.get("content-encoding", ""), DOCUMENT_BYTES, lenient=True
            )
        except PayloadError as error:
            log.warning("%s: %s", task.url, error)
    run.policies.document_answered(task, body, run.now())
    return task.origin


def document_failed(run: Run, task: Task, trouble: Trouble) -> str:
    """Deals with a declaration that could not be asked for: it declares nothing."""
    run.count_trouble(task, replace(trouble, is_host=False))
    run.policies.document_answered(task, b"", run.now())
    return task.origin
