"""Every error this package raises on purpose, grouped by what its reader should do.

::

    KpiAssetsError
    ├── ConfigError        fix the YAML: carries every problem of the file, each with file:line:column
    ├── InputError         fix the command: a window, an id or a folder that cannot be used
    ├── PluginError        install or fix a plugin
    ├── RetriableError     already tried again with backoff until the deadline; try later
    ├── QueryError         the backend refused the query: fix the query or the grant; no retry helps
    ├── DataError          the data break their contract
    │   ├── SourceFailedError   a query that a view needs failed earlier in the run
    │   ├── ViewError      a view could not be made from its frames
    │   └── RecipientError      one recipient cannot get her edition; the others can
    └── DeliveryError      an output did not take the document

Messages name the culprit, the allowed values and the fix. They never hold a secret: texts that come from a driver go
through `redact` first. Exit codes of the command line: 2 for the first three, 1 for the rest.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class KpiAssetsError(Exception):
    """Root of the tree; `exit_code` is what the command line ends with."""

    exit_code = 1


def dotted(path: Iterable[str | int]) -> str:
    """`theme.series_colors[2]`"""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


@dataclass(frozen=True)
class Position:
    """Where a value stands in a YAML file; `line` and `column` start at 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a report.

    `path` is the way of keys to the value; `excerpt` holds the source lines with a caret, ready to print. A report said
    in Python has no `position`.
    """

    message: str
    path: tuple[str | int, ...] = ()
    position: Position | None = None
    excerpt: str = ""

    @property
    def place(self) -> str:
        """Where to look: file, line and column, else the path of keys; "" where neither is known."""
        return str(self.position) if self.position else dotted(self.path)

    def __str__(self) -> str:
        head = f"{self.place}: {self.message}" if self.place else self.message
        return f"{head}\n{self.excerpt}" if self.excerpt else head


class ConfigError(KpiAssetsError):
    """The report file is wrong; `problems` lists everything found, not only the first.

    `rest` is the report without its faulty parts, where that can still be checked.
    """

    exit_code = 2

    def __init__(self, problems: Sequence[Problem], rest: object = None) -> None:
        self.problems, self.rest = tuple(problems), rest
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InputError(KpiAssetsError):
    """What was asked for on the command line or in a run's tags cannot be done."""

    exit_code = 2


class PluginError(KpiAssetsError):
    """A plugin is missing, cannot be imported, or two packages claim its name."""

    exit_code = 2


class RetriableError(KpiAssetsError):
    """A passing fault: the server is away, busy or slow. Retries with backoff have been used up."""


class QueryError(KpiAssetsError):
    """The backend refused the query, or we refused to send it (two statements, a write)."""

    def __init__(self, query: str, datasource: str, reason: str) -> None:
        self.query, self.datasource, self.reason = query, datasource, reason
        super().__init__(f"query '{query}' on datasource '{datasource}': {reason}")


class TooMuchError(QueryError):
    """The answer is longer than we take, or took too long: of a shorter window it may come."""


class DataError(KpiAssetsError):
    """The data break what was promised of them."""


class SourceFailedError(DataError):
    """A query that a view needs failed; `reason` is fit for the report's readers."""

    LATE = "the source did not answer in time"
    """The reason that passes by itself."""

    def __init__(self, query: str, reason: str) -> None:
        self.query, self.reason = query, reason
        super().__init__(f"query '{query}' failed: {reason}")


class ViewError(DataError):
    """A view cannot be made from the frames it was given."""

    def __init__(self, view: str, reason: str) -> None:
        self.view, self.reason = view, reason
        super().__init__(f"view '{view}': {reason}")


class RecipientError(DataError):
    """One recipient cannot get her edition; those of others are made and delivered all the same."""

    def __init__(self, recipient: str, reason: str) -> None:
        self.recipient, self.reason = recipient, reason
        super().__init__(f"recipient {recipient}: {reason}")


class DeliveryError(KpiAssetsError):
    """An output did not take the document.

    `ambiguous`: it may have taken it all the same (the line broke after the last byte, before the answer). People
    would get a second copy if it were tried again, so nobody tries again by himself.
    """

    def __init__(self, output: str, reason: str, *, ambiguous: bool = False) -> None:
        self.output, self.reason, self.ambiguous = output, reason, ambiguous
        super().__init__(f"output '{output}': {reason}")


def suggest(name: str, allowed: Iterable[str]) -> str:
    """The tail of a message about an unknown name: a did-you-mean if one is near, else the allowed names."""
    names = sorted(allowed)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"allowed: {', '.join(names)}" if names else "none are defined"


def redact(text: str, secrets: Iterable[str]) -> str:
    """Replace each secret in a text by `***`; secrets shorter than four characters hide only as whole words."""
    for secret in sorted({s for s in secrets if s}, key=len, reverse=True):
        if len(secret) >= 4:
            text = text.replace(secret, "***")
        else:
            text = " ".join("***" if word.strip("'\"():,") == secret else word for word in text.split(" "))
    return text


def redacted_traceback(secrets: Iterable[str]) -> str:
    """The traceback of the exception that is being handled, for debug messages: a driver's words may hold a secret."""
    return redact(traceback.format_exc(), secrets)
