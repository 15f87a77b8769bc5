"""`recipients:` -> RecipientsPlan: who gets editions of their own, and what of the report is personal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kpi_assets.config.models import OutputConfig
from kpi_assets.config.recipients import RecipientsConfig
from kpi_assets.contracts import Need, Output, Recipient
from kpi_assets.contracts.plugins import Personal
from kpi_assets.contracts.recipient import KEY, RECIPIENT, filled, names_in
from kpi_assets.errors import ConfigError, Problem, suggest
from kpi_assets.plan.notebook import Notebook
from kpi_assets.plan.parts import OutputPlan, RecipientsPlan, ViewPlan
from kpi_assets.plan.queries import QueryBook

WHERE = ("address", "place")
SOMEBODY = "recipient@example.com"


class _Anything(dict[str, Any]):
    """A value for every name."""

    def __missing__(self, name: str) -> str:
        return SOMEBODY


SAMPLE = Recipient(SOMEBODY, _Anything())
"""Stands for any recipient where it does not matter who: to check arguments, and whether an output can be reached."""


@dataclass(frozen=True)
class Found:
    """What the report's texts ask of its recipients: the names, and whose editions differ."""

    names: frozenset[str]
    queries: frozenset[str]
    views: frozenset[str]


def plan_recipients(
    notebook: Notebook, queries: QueryBook, views: tuple[ViewPlan, ...]
) -> RecipientsPlan | None:
    """Who they are; None where the report has none, or they cannot be found, which is noted."""
    config = notebook.config.recipients
    found = _found(notebook, queries, views)
    if config is None:
        return None
    for name in sorted(set(names_in({id: c.args for id, c in notebook.config.datasources.items()}))):
        notebook.problem(
            f"{{recipient.{name}}} means nothing here: datasources are everybody's", "datasources"
        )
    _check_address(notebook)
    if not isinstance(config, RecipientsConfig):
        rows = tuple(dict(row) for row in config)
        _check_rows(notebook, rows, found.names)
        column = next((name for row in rows for name in ("email", *row) if name in row), "email")
        return RecipientsPlan(found.names, found.queries, found.views, column=column, listed=rows)
    answered = queries.answer("recipients", {"query": _need(config)}, ("recipients",))
    if answered is None:
        return None
    query = answered["query"][0]
    asked = queries.plans[query].query
    if any(names_in([asked.text, asked.args])):
        notebook.problem(
            "the query that finds the recipients cannot ask for one of them", "recipients", "query"
        )
    return RecipientsPlan(found.names, found.queries, found.views, query=query, column=config.column)


def _need(config: RecipientsConfig) -> Need:
    if isinstance(config.query, str):
        return Need(datasource=config.datasource, text=config.query, args=config.query_args)
    return Need(ref=config.query.ref)


def _found(notebook: Notebook, queries: QueryBook, views: tuple[ViewPlan, ...]) -> Found:
    config = notebook.config
    asked = {id: set(names_in([plan.query.text, plan.query.args])) for id, plan in queries.plans.items()}
    personal = frozenset(id for id, names in asked.items() if names)
    told = {view.id: set(names_in(_texts(view))) for view in views}
    mine = frozenset(view.id for view in views if told[view.id] or personal & set(view.queries))
    outputs = [output.args for output in (config.outputs or {}).values()]
    elsewhere = set(names_in([str(config.title), config.lead, config.public_url, outputs]))
    return Found(frozenset(elsewhere.union(*asked.values(), *told.values())) - {KEY}, personal, mine)


def _texts(view: ViewPlan) -> list[Any]:
    config = view.config
    return [config.title, config.headline, config.description, config.args]


def _check_rows(notebook: Notebook, rows: tuple[Mapping[str, Any], ...], names: frozenset[str]) -> None:
    for number, row in enumerate(rows):
        if KEY in row:
            notebook.problem(RESERVED, "recipients", number, KEY)
        for name in sorted(names - set(row)):
            notebook.problem(
                f"{{recipient.{name}}} has no value for this recipient: {suggest(name, row)}",
                "recipients",
                number,
            )


RESERVED = "`key` is what {recipient.key} stands for already: give the column another name"


def _check_address(notebook: Notebook) -> None:
    url = notebook.config.public_url or ""
    if "{" in url and "{edition}" not in url and not RECIPIENT.search(url):
        notebook.problem("all recipients' pages would have this address: add {edition}", "public_url")


# ---------------------------------------------------------------- outputs


def with_sample(configs: Mapping[str, OutputConfig]) -> dict[str, OutputConfig]:
    """The outputs as they are for some recipient, so that their arguments can be checked."""
    return {
        id: config.model_copy(update={"args": _put(config.args, lambda _: SOMEBODY)})
        for id, config in configs.items()
    }


def check_output(notebook: Notebook, made: Output, written: Mapping[str, Any]) -> None:
    """Note what would let recipients' editions meet, or reach somebody else; `made` is for a sample recipient."""
    at, id, cls = ("outputs", made.id, "args"), made.id, type(made)
    for name, value in written.items():
        for fault in _faults(name, value, cls.personal):
            notebook.problem(fault, *at, name)
    where = [name for name, kind in cls.personal.items() if kind in WHERE]
    if not where:
        notebook.problem(
            f"this output cannot keep recipients' editions apart; {_able()}", "outputs", id, "plugin"
        )
    elif not any(set(names_in(written.get(name))) for name in where):
        names = " or ".join(f"`{name}`" for name in where)
        example = "{recipient.email}" if cls.personal[where[0]] == "address" else "{recipient.key}"
        notebook.problem(f"all recipients' editions would meet here: write {example} in {names}", *at)
    elif len(made.recipients) > 1:
        notebook.problem(f"`{where[0]}` tells others of it too: name the recipient alone", *at, where[0])


def _faults(name: str, value: Any, personal: Mapping[str, Personal]) -> Iterator[str]:
    kind = personal.get(name)
    token = next(names_in(value), None)
    if kind == "nobody" and value:
        yield f"`{name}` would get every recipient's edition: leave it out, or make them recipients"
    elif token and (kind is None or kind == "nobody"):
        allowed = (
            ", ".join(other for other, how in personal.items() if how != "nobody") or "none of its arguments"
        )
        yield f"{{recipient.{token}}} means nothing here; it can stand in {allowed}"
    elif kind == "link" and value and not token and "{edition}" not in str(value):
        yield f"all recipients' editions would have this address: add {{recipient.{KEY}}} as where they lie"


def _able() -> str:
    return "outputs that can: smtp, sendgrid, slack, webhook, static, s3, scp"


def args_for(plan: OutputPlan, args: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments, references resolved, with the recipient's values put in. Raises ConfigError."""
    recipient = plan.recipient
    if recipient is None:
        return dict(args)
    ways: dict[str, Callable[[str], str]] = {"address": recipient.text, "text": recipient.text}
    found: dict[str, Any] = {}
    for name, value in args.items():
        kind = plan.cls.personal.get(name)
        try:
            found[name] = _put(value, ways.get(kind, recipient.place)) if kind else value
        except ValueError as error:
            problem = Problem(f"output '{plan.id}': {name}: {error} (recipient {recipient.address})")
            raise ConfigError([problem]) from None
    return found


def place_of(plan: OutputPlan) -> tuple[str, ...]:
    """Where the output puts the recipient's editions; the same for two recipients if they would meet there."""
    recipient = plan.recipient
    places = [name for name, kind in plan.cls.personal.items() if kind == "place"]
    if recipient is None:
        return ()
    told = (str(getattr(value, "template", value)) for name in places if (value := plan.raw_args.get(name)))
    return tuple(filled(text, recipient.place).casefold() for text in told)


def _put(value: Any, word: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return filled(value, word)
    if isinstance(value, Mapping):
        return {name: _put(inner, word) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_put(inner, word) for inner in value]
    return value
