"""Text -> syntax tree -> analysis."""

from __future__ import annotations

import logging

from sqlglot import errors, exp, parse

from kpi_assets.contracts import QueryAnalysis
from kpi_assets.datasources.analysis.names import FROM, INTERVAL, PARAMETER, TO
from kpi_assets.datasources.analysis.proof import NotProvenError, prove
from kpi_assets.datasources.analysis.reading import Reading
from kpi_assets.datasources.tokens import Params, stand_ins

# "Unsupported syntax" is our daily bread, not the user's.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


def analyse(text: str, reading: Reading) -> QueryAnalysis:
    """The grain, the column that carries the day, and the tables."""
    if not reading.dialect.sqlglot:
        return QueryAnalysis("window", "the dialect is not one whose queries can be proven")
    tree = _tree(text, reading)
    if tree is None:
        return QueryAnalysis("window", "the query could not be parsed, so nothing is proven")
    tables = tables_of(tree)
    try:
        if "/*!" in text or "/*M!" in text:
            raise NotProvenError("it holds an executable comment")
        if "kpi_token_" in text:
            raise NotProvenError("it uses a name that the proof needs")
        proof = prove(tree, reading)
    except NotProvenError as error:
        return QueryAnalysis("window", str(error), None, tables)
    return QueryAnalysis("day", proof.reason, proof.day_column, tables)


def tables_of(tree: exp.Expr) -> tuple[str, ...]:
    """The tables that a query reads, as written; names that it defines itself left out."""
    defined = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    found: dict[str, None] = {}
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue
        name = ".".join(part.name for part in table.parts)
        if "." in name or name.lower() not in defined:
            found[name] = None
    return tuple(found)


def _tree(text: str, reading: Reading) -> exp.Expr | None:
    names = {"from": FROM, "to": TO, "interval": INTERVAL}
    params = reading.params
    shape = Params(dict.fromkeys(params) if isinstance(params, tuple) else (None,) * params)
    prepared = stand_ins(text, reading.dialect, names=names, placeholder=PARAMETER, params=shape)
    try:
        trees = [tree for tree in parse(prepared, read=reading.dialect.sqlglot) if tree is not None]
    except (errors.SqlglotError, RecursionError):
        return None
    return trees[0] if len(trees) == 1 else None
