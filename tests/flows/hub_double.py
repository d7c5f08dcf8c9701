"""A small double of the Hub's endpoints that huggingface_hub and datasets use, for dataset repositories.

As the Hub does, it answers 412 to a commit whose parent is no longer the head, takes LFS files only with the digest and
size that were announced, sends readers of LFS files to another address, and hides private repositories.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_NotARealTokenButLookedForInEveryOutput"
_REGULAR_BYTES = 10 << 20


@dataclass(frozen=True)
class Blob:
    """The content of a file; `sha256` only for LFS files."""

    content: bytes
    sha256: str = ""

    @property
    def oid(self) -> str:
        """Its git object id, of the pointer where it is an LFS file."""
        stored = self.content
        if self.sha256:
            version = "https://git-lfs.github.com/spec/v1"
            stored = f"version {version}\noid sha256:{self.sha256}\nsize {len(stored)}\n".encode()
        return hashlib.sha1(b"blob %d\0" % len(stored) + stored).hexdigest()


@dataclass
class Repo:
    """Commits by id, each with its whole tree, and what refers to them."""

    private: bool
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> str:
        return self.history[-1]

    def add(self, tree: dict[str, Blob]) -> str:
        listed = "".join(f"{path} {blob.oid}\n" for path, blob in sorted(tree.items()))
        oid = hashlib.sha1(f"{self.history}{listed}".encode()).hexdigest()
        self.commits[oid] = tree
        self.history.append(oid)
        return oid

    def find(self, revision: str) -> str | None:
        """The commit that a branch, tag or commit id means."""
        known = {"main": self.head, "refs/heads/main": self.head} | self.tags
        found = known.get(revision, revision)
        return found if found in self.commits else None


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass
class Hub:
    """What the double knows, and what it was asked."""

    endpoint: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    lfs: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    before_commit: Callable[[], None] = lambda: None
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def storage(self) -> str:
        """Where LFS files are read from: as with the Hub, another host."""
        return self.endpoint.replace("127.0.0.1", "localhost")

    @property
    def environment(self) -> dict[str, str]:
        """What a client in another process needs."""
        return {"HF_ENDPOINT": self.endpoint, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}

    def repo(self, name: str, authorized: bool) -> Repo:
        found = self.repos.get(name)
        if found is None or (found.private and not authorized):
            raise RefusedError(404 if authorized else 401, "Repository not found", "RepoNotFound")
        return found

    def tree(self, name: str, revision: str, authorized: bool) -> tuple[str, dict[str, Blob]]:
        repo = self.repo(name, authorized)
        commit = repo.find(revision)
        if commit is None:
            raise RefusedError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commit, repo.commits[commit]

    def writes(self) -> list[tuple[str, str]]:
        """What was asked that may change something."""
        return [(method, path) for method, path in self.asked if method not in ("GET", "HEAD")]


_REPO = r"(?P<repo>[\w.-]+/[\w.-]+)"
_REVISION = r"(?P<revision>[^/]+)"
_ROUTES: list[tuple[str, str, str]] = [
    ("GET", r"/api/whoami-v2", "whoami"),
    ("POST", r"/api/repos/create", "create"),
    ("POST", r"/api/validate-yaml", "validate"),
    ("GET", rf"/api/datasets/{_REPO}/refs", "refs"),
    ("GET", rf"/api/datasets/{_REPO}/tree/{_REVISION}(?:/(?P<path>.+))?", "list_tree"),
    ("POST", rf"/api/datasets/{_REPO}/paths-info/{_REVISION}", "paths_info"),
    ("POST", rf"/api/datasets/{_REPO}/preupload/{_REVISION}", "preupload"),
    ("POST", rf"/api/datasets/{_REPO}/commit/{_REVISION}", "commit"),
    ("POST", rf"/api/datasets/{_REPO}/tag/{_REVISION}", "create_tag"),
    ("DELETE", rf"/api/datasets/{_REPO}/tag/{_REVISION}", "delete_tag"),
    ("GET", rf"/api/datasets/{_REPO}(?:/revision/{_REVISION})?", "info"),
    ("POST", rf"/datasets/{_REPO}\.git/info/lfs/objects/batch", "lfs_batch"),
    ("PUT", r"/lfs/(?P<oid>[0-9a-f]{64})/(?P<size>\d+)", "lfs_put"),
    ("POST", r"/lfs/verify", "lfs_verify"),
    ("GET", rf"/datasets/{_REPO}/resolve/{_REVISION}/(?P<path>.+)", "resolve"),
    ("GET", r"/cdn/(?P<oid>[0-9a-f]{64})", "cdn"),
]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""

    def _serve(self) -> None:
        url = urlsplit(self.path)
        self.query = parse_qs(url.query)
        self.body = self._read_body()
        self.hub.asked.append((self.command, url.path))
        self.authorized = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        try:
            with self.hub.lock:
                self._route(unquote(url.path))
        except RefusedError as refused:
            said = {"X-Error-Code": refused.code, "X-Error-Message": str(refused)} if refused.code else {}
            self._answer(json.dumps({"error": str(refused)}).encode(), refused.status, said)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the base class's names

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _route(self, path: str) -> None:
        method = "GET" if self.command == "HEAD" else self.command
        for wanted, pattern, name in _ROUTES:
            if wanted == method and (found := re.fullmatch(pattern, path)):
                return getattr(self, f"_{name}")(**{key: value or "" for key, value in found.groupdict().items()})
        raise RefusedError(404, f"no such endpoint: {method} {path}")

    def _answer(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, value: Any, status: int = 200) -> None:
        self._answer(json.dumps(value).encode(), status, {"Content-Type": "application/json"})

    def _must_write(self) -> None:
        if not self.authorized:
            raise RefusedError(401, "Invalid username or password.")

    def _whoami(self) -> None:
        self._must_write()
        self._json({"type": "user", "name": "tester", "orgs": []})

    def _create(self) -> None:
        self._must_write()
        asked = json.loads(self.body)
        assert asked["type"] == "dataset"
        name = f"{asked.get('organization') or 'tester'}/{asked['name']}"
        if name in self.hub.repos:
            self._json({"error": "You already created this dataset repo", "url": self._page(name)}, 409)
            return
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        repo = self.hub.repos[name] = Repo(private)
        repo.add({".gitattributes": Blob(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n")})
        self._json({"url": self._page(name), "id": name, "name": name})

    def _page(self, name: str) -> str:
        return f"{self.hub.endpoint}/datasets/{name}"

    def _validate(self) -> None:
        is_card = json.loads(self.body)["content"].startswith("---\n")
        self._json({"errors": [] if is_card else [{"message": "no metadata"}], "warnings": []}, 200 if is_card else 400)

    def _info(self, repo: str, revision: str) -> None:
        commit, tree = self.hub.tree(repo, revision or "main", self.authorized)
        files = [{"rfilename": path} for path in sorted(tree)]
        self._json(
            {"id": repo, "sha": commit, "private": self.hub.repos[repo].private, "siblings": files, "tags": []}
            | {
                "disabled": False,
                "gated": False,
                "downloads": 0,
                "likes": 0,
                "lastModified": "2026-01-01T00:00:00.000Z",
            }
        )

    def _refs(self, repo: str) -> None:
        found = self.hub.repo(repo, self.authorized)
        tags = [{"name": t, "ref": f"refs/tags/{t}", "targetCommit": c} for t, c in found.tags.items()]
        branch = {"name": "main", "ref": "refs/heads/main", "targetCommit": found.head}
        self._json({"branches": [branch], "converts": [], "tags": tags, "pullRequests": []})

    def _list_tree(self, repo: str, revision: str, path: str) -> None:
        _, tree = self.hub.tree(repo, revision, self.authorized)
        start = f"{path.strip('/')}/" if path else ""
        below = {name: blob for name, blob in tree.items() if name.startswith(start)}
        if start and not below:
            raise RefusedError(404, f"{path} does not exist", "EntryNotFound")
        folders = {start + name[len(start) :].split("/")[0] for name in below if "/" in name[len(start) :]}
        if self.query.get("recursive") not in (["true"], ["True"], ["1"]):
            below = {name: blob for name, blob in below.items() if "/" not in name[len(start) :]}
        listed = [{"type": "directory", "path": name, "oid": "0" * 40, "size": 0} for name in sorted(folders)]
        self._json(listed + [_entry(name, blob) for name, blob in sorted(below.items())])

    def _paths_info(self, repo: str, revision: str) -> None:
        _, tree = self.hub.tree(repo, revision, self.authorized)
        text = self.body.decode()
        paths = json.loads(text)["paths"] if text.startswith("{") else parse_qs(text).get("paths", [])
        folders = [path for path in paths if any(name.startswith(f"{path}/") for name in tree)]
        listed = [{"type": "directory", "path": name, "oid": "0" * 40, "size": 0} for name in folders]
        self._json(listed + [_entry(path, tree[path]) for path in paths if path in tree])

    def _preupload(self, repo: str, revision: str) -> None:
        self._must_write()
        _, tree = self.hub.tree(repo, revision, self.authorized)
        files = [
            {
                "path": asked["path"],
                "uploadMode": "lfs" if _is_lfs(asked["path"], asked["size"]) else "regular",
                "shouldIgnore": False,
                "oid": tree[asked["path"]].oid if asked["path"] in tree else None,
            }
            for asked in json.loads(self.body)["files"]
        ]
        self._json({"files": files})

    def _lfs_batch(self, repo: str) -> None:
        self._must_write()
        self.hub.repo(repo, self.authorized)
        objects = []
        for asked in json.loads(self.body)["objects"]:
            answer = {"oid": asked["oid"], "size": asked["size"]}
            if asked["oid"] not in self.hub.lfs:
                put = {"href": f"{self.hub.endpoint}/lfs/{asked['oid']}/{asked['size']}"}
                answer["actions"] = {"upload": put, "verify": {"href": f"{self.hub.endpoint}/lfs/verify"}}
            objects.append(answer)
        self._json({"transfer": "basic", "objects": objects})

    def _lfs_put(self, oid: str, size: str) -> None:
        if len(self.body) != int(size) or hashlib.sha256(self.body).hexdigest() != oid:
            raise RefusedError(422, "the content is not the one that was announced")
        self.hub.lfs[oid] = self.body
        self._answer(b"")

    def _lfs_verify(self) -> None:
        self._must_write()
        asked = json.loads(self.body)
        if len(self.hub.lfs.get(asked["oid"], b"")) != asked["size"]:
            raise RefusedError(422, "the file was not uploaded")
        self._json({})

    def _commit(self, repo: str, revision: str) -> None:
        self._must_write()
        interruption, self.hub.before_commit = self.hub.before_commit, lambda: None
        interruption()
        found = self.hub.repo(repo, self.authorized)
        lines = [json.loads(line) for line in self.body.splitlines()]
        parent = lines[0]["value"].get("parentCommit")
        if revision != "main" or (parent is not None and parent != found.head):
            raise RefusedError(412, "A commit has happened since. Please refresh and try again.")
        tree = dict(found.commits[found.head])
        for line in lines[1:]:
            self._operate(tree, line["key"], line["value"])
        oid = found.add(tree)
        url = f"{self.hub.endpoint}/datasets/{repo}/commit/{oid}"
        self._json({"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})

    def _operate(self, tree: dict[str, Blob], key: str, value: dict[str, Any]) -> None:
        path = value["path"]
        if key == "file":
            content = base64.b64decode(value["content"])
            if _is_lfs(path, len(content)):
                raise RefusedError(400, f"{path} must be an LFS file")
            tree[path] = Blob(content)
        elif key == "lfsFile":
            content = self.hub.lfs.get(value["oid"], b"")
            if hashlib.sha256(content).hexdigest() != value["oid"] or len(content) != value["size"]:
                raise RefusedError(400, f"{path}: the LFS file was not uploaded whole")
            tree[path] = Blob(content, value["oid"])
        elif key == "deletedFile":
            if path not in tree:
                raise RefusedError(404, "A file with this name doesn't exist", "EntryNotFound")
            del tree[path]
        else:
            raise RefusedError(400, f"unknown operation {key}")

    def _create_tag(self, repo: str, revision: str) -> None:
        self._must_write()
        commit, _ = self.hub.tree(repo, revision, self.authorized)
        tag = json.loads(self.body)["tag"]
        if tag in self.hub.repos[repo].tags:
            raise RefusedError(409, f"Tag {tag} already exists")
        self.hub.repos[repo].tags[tag] = commit
        self._json({})

    def _delete_tag(self, repo: str, revision: str) -> None:
        self._must_write()
        if self.hub.repo(repo, self.authorized).tags.pop(revision, None) is None:
            raise RefusedError(404, f"Tag {revision} does not exist", "RevisionNotFound")
        self._json({})

    def _resolve(self, repo: str, revision: str, path: str) -> None:
        commit, tree = self.hub.tree(repo, revision, self.authorized)
        if path not in tree:
            raise RefusedError(404, "Entry not found", "EntryNotFound")
        blob = tree[path]
        if not blob.sha256:
            self._send(blob.content, {"ETag": f'"{blob.oid}"', "X-Repo-Commit": commit})
            return
        said = {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(len(blob.content)), "X-Repo-Commit": commit}
        self._answer(b"", 302, said | {"Location": f"{self.hub.storage}/cdn/{blob.sha256}"})

    def _cdn(self, oid: str) -> None:
        self._send(self.hub.lfs[oid], {"ETag": f'"{oid}"'})

    def _send(self, content: bytes, headers: dict[str, str]) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not wanted:
            self._answer(content, 200, headers | {"Accept-Ranges": "bytes", "Content-Length": str(len(content))})
            return
        first, last = int(wanted[1]), min(int(wanted[2] or len(content) - 1), len(content) - 1)
        part = content[first : last + 1]
        said = {"Content-Range": f"bytes {first}-{last}/{len(content)}", "Content-Length": str(len(part))}
        self._answer(part, 206, headers | said)


def _is_lfs(path: str, size: int) -> bool:
    return path.endswith(".parquet") or size > _REGULAR_BYTES


def _entry(path: str, blob: Blob) -> dict[str, Any]:
    said: dict[str, Any] = {"type": "file", "path": path, "oid": blob.oid, "size": len(blob.content)}
    if blob.sha256:
        said["lfs"] = {"oid": blob.sha256, "size": len(blob.content), "pointerSize": 130}
    return said


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news; pushes are killed here."""


@contextmanager
def running_hub() -> Iterator[Hub]:
    """The double on loopback."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with _Server(("127.0.0.1", 0), handler) as server:
        hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
