"""SendGrid and Slack on loopback, as strict as their documentation says: the real clients speak to them over HTTP."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kpi_assets_tests.secrets import secret

TOKEN = secret("slack", "xoxb-")
KEY = secret("sendgrid", "SG.")


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: Message
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """Arguments, however they were sent: in the address, as a form or as JSON."""
        if "json" in self.headers.get("Content-Type", ""):
            return dict(json.loads(self.body or b"{}"))
        texts = (urlsplit(self.path).query, self.body.decode())
        return {name: values[0] for text in texts for name, values in parse_qs(text).items()}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False


@contextmanager
def served(answer: Callable[[Asked], Answer]) -> Iterator[str]:
    """The address of a server that answers so."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:  # the line broke: no server takes half a request
                self.close_connection = True
                return
            found = answer(Asked(self.command, self.path, self.headers, body))
            if found.hang_up:
                self.close_connection = True
                return
            text = found.body if isinstance(found.body, str) else json.dumps(found.body)
            kind = "text/plain" if isinstance(found.body, str) else "application/json; charset=utf-8"
            self.send_response(found.status)
            for name, value in {
                "Content-Type": kind,
                "Content-Length": str(len(text.encode())),
                **found.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = _handle  # noqa: N815 - names that the library calls

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# ---------------------------------------------------------------- SendGrid


@dataclass
class SendGridPeer:
    """`POST /v3/mail/send`. `next` are answers that come before it does its work."""

    url: str = ""

    sent: list[dict[str, Any]] = field(default_factory=list)
    next: list[Answer] = field(default_factory=list)
    requests: int = 0

    def answer(self, asked: Asked) -> Answer:  # noqa: PLR0911 - an answer per case
        self.requests += 1
        if self.next:
            return self.next.pop(0)
        if asked.headers.get("Authorization") != f"Bearer {KEY}":
            return _errors(401, "The provided authorization grant is invalid, expired, or revoked")
        if (asked.method, asked.path) == ("GET", "/v3/scopes"):
            return Answer(200, {"scopes": ["mail.send"]})
        if (asked.method, asked.path) != ("POST", "/v3/mail/send"):
            return _errors(404, "not found")
        mail = json.loads(asked.body)
        problem = mail_problem(mail)
        if problem:
            return _errors(400, *problem)
        if mail.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return Answer(200, "")
        self.sent.append(mail)
        return Answer(202, "", {"X-Message-Id": f"id{len(self.sent)}"})


def mail_problem(mail: dict[str, Any]) -> tuple[str, str] | None:
    """What the API would refuse of a mail: message and field."""
    people = [
        p["email"]
        for group in mail["personalizations"]
        for name in ("to", "cc", "bcc")
        for p in group.get(name, [])
    ]
    kinds = [content["type"] for content in mail["content"]]
    if not all(group.get("to") for group in mail["personalizations"]):
        return "The to array is required for all personalization objects", "personalizations.0.to"
    if len(people) > 1000 or len(mail["personalizations"]) > 1000:
        return "There is a limit of 1000 total recipients per request", "personalizations"
    if len({p.lower() for p in people}) < len(people):
        return "Each email address in the personalization block should be unique", "personalizations.0"
    if kinds not in (["text/plain"], ["text/plain", "text/html"]):
        return "The text/plain content must come first", "content"
    if not all(re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", p) for p in (*people, mail["from"]["email"])):
        return "Does not contain a valid address.", "personalizations.0.to.0.email"
    return _enclosure_problem(mail)


def _enclosure_problem(mail: dict[str, Any]) -> tuple[str, str] | None:
    html = mail["content"][-1]["value"]
    for number, item in enumerate(mail.get("attachments", [])):
        base64.b64decode(item["content"], validate=True)
        if set(item) - {"content", "filename", "type", "disposition", "content_id"}:
            return "unknown property", f"attachments.{number}"
        if item["disposition"] == "inline" and f'src="cid:{item["content_id"]}"' not in html:
            return "content id is not used", f"attachments.{number}.content_id"
    unknown = set(mail) - {
        "from", "personalizations", "subject", "content", "headers", "attachments", "reply_to_list", "mail_settings"
    }  # fmt: skip
    return ("unknown property", sorted(unknown)[0]) if unknown else None


def _errors(status: int, message: str, field: str | None = None) -> Answer:
    help_text = "https://docs.example.com/errors" if field else None
    return Answer(status, {"errors": [{"message": message, "field": field, "help": help_text}]})


# ---------------------------------------------------------------- Slack


@dataclass
class SlackPeer:
    """A workspace. `next` are answers by method that come before it does its work; files need `looks` looks first."""

    url: str = ""
    channels: dict[str, str] = field(default_factory=lambda: {"kpis": "C01", "board": "C02"})
    members: set[str] = field(default_factory=lambda: {"C01", "C02"})
    next: dict[str, list[Answer]] = field(default_factory=dict)
    files: dict[str, bytes | None] = field(default_factory=dict)
    posts: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    looks: int = 0
    _lengths: dict[str, int] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path).path
        if path.startswith("/upload/"):
            return self._upload(path.rpartition("/")[2], asked.body)
        method = path.removeprefix("/api/")
        self.calls.append(method)
        if self.next.get(method):
            return self.next[method].pop(0)
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return refused("invalid_auth")
        methods: dict[str, Callable[[Mapping[str, Any]], Answer]] = {
            "auth.test": lambda form: Answer(200, {"ok": True, "user": "reports", "team": "Quillmoor"}),
            "files.getUploadURLExternal": self._place,
            "files.completeUploadExternal": self._complete,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.getPermalink": self._permalink,
        }
        return methods[method](asked.form) if method in methods else refused("unknown_method")

    def _permalink(self, form: Mapping[str, str]) -> Answer:
        channel, ts = form["channel"], form["message_ts"]
        link = f"https://quillmoor.slack.com/archives/{channel}/p{ts.replace('.', '')}"
        known = any((post["channel"], post["ts"]) == (channel, ts) for post in self.posts)
        return Answer(200, {"ok": True, "permalink": link}) if known else refused("message_not_found")

    def _place(self, form: Mapping[str, str]) -> Answer:
        if not form.get("filename") or not form.get("length", "").isdigit():
            return refused("invalid_arguments")
        id = f"F{len(self._lengths) + 1:02}"
        self._lengths[id] = int(form["length"])
        return Answer(200, {"ok": True, "upload_url": f"{self.url}/upload/{id}", "file_id": id})

    def _upload(self, id: str, body: bytes) -> Answer:
        if len(body) != self._lengths.get(id):
            return Answer(400, "length does not match")
        self.files[id] = None if not body.startswith(b"\x89PNG") else body
        return Answer(200, f"OK - {len(body)}")

    def _complete(self, form: Mapping[str, str]) -> Answer:
        files = json.loads(form["files"]) if isinstance(form["files"], str) else form["files"]
        if any(file["id"] not in self.files for file in files):
            return refused("file_not_found")
        return Answer(200, {"ok": True, "files": [{"id": f["id"], "title": f["title"]} for f in files]})

    def _update(self, form: Mapping[str, Any]) -> Answer:
        """Only by the channel's id, and only a message of ours; what stood there is replaced as a whole."""
        if set(form) - {"channel", "ts", "text", "blocks"}:
            return refused("invalid_arguments")
        found = next(
            (p for p in self.posts if (p["channel"], p["ts"]) == (form["channel"], form["ts"])), None
        )
        if found is None:
            return refused("message_not_found")
        if problem := self._problem(form):
            return problem
        found.update(text=form["text"], blocks=form["blocks"])
        return Answer(200, {"ok": True, "channel": form["channel"], "ts": form["ts"], "text": form["text"]})

    def _delete(self, form: Mapping[str, Any]) -> Answer:
        kept = [p for p in self.posts if (p["channel"], p["ts"]) != (form["channel"], form["ts"])]
        if len(kept) == len(self.posts):
            return refused("message_not_found")
        self.posts[:] = kept
        return Answer(200, {"ok": True, "channel": form["channel"], "ts": form["ts"]})

    def _problem(self, form: Mapping[str, Any]) -> Answer | None:
        """What is wrong with a message's blocks."""
        blocks = form.get("blocks")
        errors = list(block_errors(blocks, self.files)) if blocks is not None else []
        if not errors and self.looks and any("slack_file" in block for block in blocks or []):
            self.looks -= 1
            errors = ["invalid slack file [json-pointer:/blocks/4/slack_file]"]
        if errors:
            return refused("invalid_blocks", errors=errors, response_metadata={"messages": errors})
        if len(json.dumps(blocks or [], ensure_ascii=False)) > 13_200:
            return refused("msg_blocks_too_long")
        return None

    def _post(self, form: Mapping[str, Any]) -> Answer:
        name = str(form["channel"]).removeprefix("#")
        channel = self.channels.get(name, name)
        if channel not in self.channels.values():
            return refused("channel_not_found")
        if channel not in self.members:
            return refused("not_in_channel")
        if problem := self._problem(form):
            return problem
        if not form.get("text"):
            return refused("no_text")
        thread = form.get("thread_ts")
        if thread and thread not in {post["ts"] for post in self.posts}:
            return refused("thread_not_found")
        post = {**form, "channel": channel, "ts": f"1732514520.{self.calls.count('chat.postMessage'):06}"}
        self.posts.append(post)
        return Answer(200, {"ok": True, "channel": channel, "ts": post["ts"], "message": {"ts": post["ts"]}})


def refused(error: str, **more: Any) -> Answer:
    """Slack says no: status 200, `ok` false."""
    return Answer(200, {"ok": False, "error": error, **more})


def later(seconds: int) -> Answer:
    """Slack says come back later."""
    return Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(seconds)})


KEYS = {
    "header": {"type", "text", "block_id"},
    "section": {"type", "text", "fields", "accessory", "block_id", "expand"},
    "context": {"type", "elements", "block_id"},
    "divider": {"type", "block_id"},
    "image": {"type", "image_url", "slack_file", "alt_text", "title", "block_id"},
}


def block_errors(blocks: list[dict[str, Any]], files: Mapping[str, bytes | None]) -> Iterator[str]:
    """Everything that Slack's reference forbids of these blocks."""
    if not 1 <= len(blocks) <= 50:
        yield f"no more than 50 items allowed, {len(blocks)} given [json-pointer:/blocks]"
    for number, block in enumerate(blocks):
        for error in _block_errors(block, files):
            yield f"{error} [json-pointer:/blocks/{number}]"


def _block_errors(block: dict[str, Any], files: Mapping[str, bytes | None]) -> Iterator[str]:
    kind = block["type"]
    if kind not in KEYS or set(block) - KEYS[kind]:
        yield f"unsupported: {kind} with {sorted(block)}"
    elif kind == "header":
        yield from _text_errors(block["text"], "plain_text", 150)
    elif kind == "section":
        fields = block.get("fields", [])
        if ("text" in block) == bool(fields) or len(fields) > 10:
            yield "a section has text or 1 to 10 fields"
        yield from (e for text in fields for e in _text_errors(text, "mrkdwn", 2000))
        yield from _text_errors(block["text"], "mrkdwn", 3000) if "text" in block else ()
    elif kind == "context":
        if not 1 <= len(block["elements"]) <= 10:
            yield "a context has 1 to 10 elements"
        yield from (e for text in block["elements"] for e in _text_errors(text, "mrkdwn", 3000))
    elif kind == "image":
        yield from _image_errors(block, files)


def _image_errors(block: dict[str, Any], files: Mapping[str, bytes | None]) -> Iterator[str]:
    if not 1 <= len(block.get("alt_text", "")) <= 2000:
        yield "alt_text must have 1 to 2000 characters"
    if "title" in block:
        yield from _text_errors(block["title"], "plain_text", 2000)
    if ("image_url" in block) == ("slack_file" in block):
        yield "an image has image_url or slack_file"
    elif "slack_file" in block and not files.get(block["slack_file"].get("id")):
        yield "invalid slack file"
    elif not re.match(r"https?://[^\s]+$", block.get("image_url", "https://x")):
        yield "invalid url"


def _text_errors(text: Mapping[str, Any], kind: str, most: int) -> Iterator[str]:
    if text["type"] != kind:
        yield f"must be {kind}, not {text['type']}"
    if not 1 <= len(text["text"]) <= most:
        yield f"must have 1 to {most} characters, has {len(text['text'])}"
    if kind == "mrkdwn" and re.search(r"&(?!amp;|lt;|gt;)|<(?![@#!]?[\w:/.~-][^<>]*>)", text["text"]):
        yield f"not escaped: {text['text']!r}"
