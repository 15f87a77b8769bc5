"""Jenkins on loopback, as strict as its documentation: the login, `tree=` with ranges, folders, 404, broken answers."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from kpi_assets_tests.outputs.http_peers import Answer, Asked, served
from kpi_assets_tests.secrets import secret

USER, TOKEN = "ci", secret("jenkins")
FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
JOB = "org.jenkinsci.plugins.workflow.job.WorkflowJob"
_WORD = re.compile(r"([A-Za-z_]+)|([\[\],])|\{(\d*),(\d*)\}")


def build(number: int, result: str | None, seconds: float = 60, day: int = 18) -> dict[str, Any]:
    """A build of a November day; None as result: it still runs."""
    started = datetime(2024, 11, day, 9, tzinfo=UTC).timestamp() + number
    return {
        "_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun",
        "number": number,
        "result": result,
        "building": result is None,
        "timestamp": round(started * 1000),
        "duration": 0 if result is None else round(seconds * 1000),
        "displayName": f"#{number}",
        "url": f"http://jenkins.example/{number}/",
        "actions": [{}],
    }


def job(name: str, builds: list[dict[str, Any]], score: int | None = 100) -> dict[str, Any]:
    """A job; no score: Jenkins has no health report."""
    health = [] if score is None else [{"description": "Build stability", "score": score, "iconUrl": "x.png"}]
    return {
        "_class": JOB,
        "name": name,
        "url": f"http://jenkins.example/job/{name}/",
        "color": "blue",
        "builds": builds,
        "healthReport": health,
    }


def folder(name: str, *jobs: dict[str, Any], kind: str = FOLDER) -> dict[str, Any]:
    """A folder of jobs."""
    return {"_class": kind, "name": name, "url": f"http://jenkins.example/job/{name}/", "jobs": list(jobs)}


@dataclass
class Jenkins:
    """What the server holds, and what it was asked. `broken`: answers for paths, in place of what is there."""

    root: dict[str, Any]
    token: str = TOKEN
    broken: Mapping[str, Answer] = field(default_factory=dict)
    pause: float = 0
    asked: list[str] = field(default_factory=list)
    at_once: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked.path)
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        try:
            time.sleep(self.pause)
            return self._answer(asked)
        finally:
            with self._lock:
                self._now -= 1

    def _answer(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.path)
        path = parts.path.removesuffix("/api/json")
        if path in self.broken:
            return self.broken[path]
        given = asked.headers.get("Authorization")
        if self.token and given is None:
            return Answer(403, "<html>Authentication required</html>", {"Content-Type": "text/html"})
        if self.token and given != f"Basic {base64.b64encode(f'{USER}:{self.token}'.encode()).decode()}":
            return Answer(401, "<html>Invalid password/token</html>", {"Content-Type": "text/html"})
        if path == parts.path or (found := self._found(path)) is None:
            return Answer(404, "<html>Not Found</html>", {"Content-Type": "text/html"})
        tree = parse_qs(parts.query).get("tree", [""])[0]
        return Answer(200, _filtered(found, _parsed(tree)))

    def _found(self, path: str) -> dict[str, Any] | None:
        here: dict[str, Any] | None = self.root
        for name in [unquote(part) for part in path.split("/job/")[1:]]:
            here = next((item for item in (here or {}).get("jobs", ()) if item["name"] == name), None)
        return here


@contextmanager
def jenkins(*jobs: dict[str, Any], **more: Any) -> Iterator[tuple[str, Jenkins]]:
    """The address of a Jenkins with these jobs, and what it was asked."""
    held = Jenkins({"_class": "hudson.model.Hudson", "mode": "NORMAL", "jobs": list(jobs)}, **more)
    with served(held.answer) as address:
        yield address, held


def _parsed(tree: str) -> dict[str, Any]:
    """`jobs[name],builds[number]{0,10}` as nested fields, each with what lies under it and its range."""
    assert "".join(match[0] for match in _WORD.finditer(tree)) == tree, f"malformed tree: {tree}"
    stack: list[dict[str, Any]] = [{}]
    last = ""
    for match in _WORD.finditer(tree):
        if match[1]:
            last = match[1]
            stack[-1][last] = ({}, None)
        elif match[2] == "[":
            stack.append(stack[-1][last][0])
            stack[-1]["_parent"] = last
        elif match[2] == "]":
            last = stack.pop().pop("_parent")
        elif match[2] is None:
            fields, _ = stack[-1][last]
            stack[-1][last] = (fields, (int(match[3] or 0), int(match[4])))
    assert len(stack) == 1, f"malformed tree: {tree}"
    return stack[0]


def _filtered(item: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that were asked for; `_class` always comes, an unknown field never."""
    found = {"_class": item["_class"]} if "_class" in item else {}
    for name, (below, span) in fields.items():
        value = item.get(name)
        if isinstance(value, list):
            some = value[slice(*span)] if span else value
            found[name] = [_filtered(part, below) for part in some]
        elif value is not None or name in item:
            found[name] = value
    return found
