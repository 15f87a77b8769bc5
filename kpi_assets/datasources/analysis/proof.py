"""The proof that cutting a query by days cannot change its rows.

It holds for one SELECT over a relation that does not depend on the window, filtered by `{from} <= column < {to}`:
the days' intervals share no instant and leave none out, so every filtered row belongs to one day. Aggregates and
DISTINCT keep that when each group holds rows of one day only; ORDER BY, when days come first in it. Syntax that is not
known to be a function of its rows ends the proof (`known.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from kpi_assets.datasources.analysis import known
from kpi_assets.datasources.analysis.days import Told, WindowColumn
from kpi_assets.datasources.analysis.grouping import Grouping, NotProvenError, Outputs
from kpi_assets.datasources.analysis.names import FROM, INTERVAL, TO
from kpi_assets.datasources.analysis.reading import Reading

__all__ = ["NotProvenError", "Proof", "prove"]


@dataclass(frozen=True)
class Proof:
    reason: str
    day_column: str | None


def prove(tree: exp.Expr, reading: Reading) -> Proof:
    """Raises NotProvenError with the reason why not."""
    if not isinstance(tree, exp.Select):
        raise NotProvenError("it is not a single SELECT")
    for node in tree.walk():
        _refuse_stranger(node)
    column = _window_column(tree, reading)
    for select in tree.find_all(exp.Select):
        if select is not tree:
            Grouping(select, reading.dialect).check(None)
    outputs = Outputs(tree)
    _refuse_hidden_selects(tree)
    grouping = Grouping(tree, reading.dialect)
    grouping.check(column)
    _check_aggregates(tree, grouping, column)
    _check_distinct(tree, outputs, column)
    _check_order(tree, outputs, column)
    return Proof(
        f"every row belongs to one day of {column.column.sql()}", _day_column(outputs, column, reading)
    )


def _refuse_stranger(node: exp.Expr) -> None:
    if isinstance(node, exp.Anonymous):
        name = str(node.this).lower()
        if name not in known.KNOWN_BY_NAME or not node.expressions:
            raise NotProvenError(f"what {name}() depends on is not known")
    elif type(node) not in known.KNOWN:
        raise NotProvenError(f"{_spoken(node)} is not known to depend on the rows of a day alone")
    _refuse_strange_part(node)


def _refuse_strange_part(node: exp.Expr) -> None:  # noqa: C901 - one line per kind of syntax
    found = known.parts(node)
    if isinstance(node, exp.Select) and (more := found - known.SELECT_PARTS):
        raise NotProvenError(f"{sorted(more)[0].strip('_').upper()} looks at more than one day")
    if isinstance(node, exp.Table) and (
        found - known.TABLE_PARTS or not isinstance(node.this, exp.Identifier)
    ):
        raise NotProvenError("a table is sampled, versioned or made by a function")
    if isinstance(node, exp.Join) and (found - known.JOIN_PARTS or not _words(node) <= known.JOIN_WORDS):
        raise NotProvenError("the kind of join is not known to be a function of its rows")
    if isinstance(node, exp.Group) and found - {"expressions"}:
        raise NotProvenError("GROUP BY has more than plain keys")
    if isinstance(node, exp.With) and "recursive" in found:
        raise NotProvenError("WITH RECURSIVE is not looked into")
    if isinstance(node, exp.Distinct) and "on" in found:
        raise NotProvenError("DISTINCT ON keeps some row of several")
    if isinstance(node, exp.Min | exp.Max) and found - {"this"}:
        raise NotProvenError("MIN or MAX with several arguments is no plain aggregate")
    if isinstance(node, exp.Literal) and node.is_string and known.may_move(node.name):
        raise NotProvenError(f"'{node.name}' may mean the clock")
    if (
        isinstance(node, exp.Column)
        and node.name.lower() in known.MOVING_NAMES
        and not node.this.args.get("quoted")
    ):
        raise NotProvenError(f"{node.name} may mean the clock or the session")


def _window_column(select: exp.Select, reading: Reading) -> WindowColumn:
    """The column of the one `{from} <= column < {to}` among the conditions that must all hold."""
    tokens = [column.name for column in select.find_all(exp.Column) if column.name in (FROM, TO, INTERVAL)]
    if not tokens:
        raise NotProvenError("it does not use {from} and {to}")
    where = select.args.get("where")
    if sorted(tokens) != sorted([FROM, TO]) or where is None:
        raise NotProvenError("the window is used in other ways than `column >= {from} and column < {to}`")
    lower = upper = None
    for condition in _conjuncts(where.this):
        lower = lower or _bounded(condition, FROM, exp.GTE, exp.LTE)
        upper = upper or _bounded(condition, TO, exp.LT, exp.GT)
    alone = not select.args.get("joins")
    if lower is None or upper is None or not WindowColumn(lower, False, reading).is_same(upper):
        raise NotProvenError(
            "it is not cut by `column >= {from} and column < {to}` on one column; other bounds share or lose rows"
        )
    _refuse_shadow(select, lower)
    return WindowColumn(lower, alone, reading)


def _conjuncts(node: exp.Expr) -> list[exp.Expr]:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.And):
        return [*_conjuncts(node.left), *_conjuncts(node.right)]
    return [node]


def _bounded(
    condition: exp.Expr, token: str, column_first: type[exp.Binary], token_first: type[exp.Binary]
) -> exp.Column | None:
    """The column that `condition` compares with the token, on either side."""
    if isinstance(condition, column_first):
        column, bound = condition.left, condition.right
    elif isinstance(condition, token_first):
        bound, column = condition.left, condition.right
    else:
        return None
    is_bound = isinstance(bound, exp.Column) and bound.name == token
    return column if is_bound and isinstance(column, exp.Column) and column.name not in (FROM, TO) else None


def _refuse_shadow(select: exp.Select, column: exp.Column) -> None:
    """An output of the same name that is something else: which of them WHERE means, dialects disagree."""
    for output in select.expressions:
        same = isinstance(output, exp.Alias) and output.alias.lower() == column.name.lower()
        if same and output.this != column:
            raise NotProvenError(f"the name {column.name} stands for a column and for an output")


def _refuse_hidden_selects(select: exp.Select) -> None:
    """Subqueries among outputs and keys: an aggregate in them may belong to the outer query."""
    order, having, group = (select.args.get(name) for name in ("order", "having", "group"))
    for part in (*select.expressions, order, having, group):
        if part is not None and part.find(exp.Select):
            raise NotProvenError("a subquery among the outputs is not looked into")


def _check_aggregates(select: exp.Select, grouping: Grouping, column: WindowColumn) -> None:
    if grouping.keys:
        if not any(column.told_by(key) for key in grouping.keys):
            raise NotProvenError(
                f"its groups may reach over several days: group by the day of {column.column.sql()}"
            )
    elif grouping.aggregates or select.args.get("having"):
        raise NotProvenError("it aggregates over the whole window")


def _check_distinct(select: exp.Select, outputs: Outputs, column: WindowColumn) -> None:
    if select.args.get("distinct") and not any(column.told_by(output) for output in outputs.expressions):
        raise NotProvenError("DISTINCT without the day in the output merges rows of different days")


def _check_order(select: exp.Select, outputs: Outputs, column: WindowColumn) -> None:
    order = select.args.get("order")
    if order is None:
        return
    first = order.expressions[0]
    told: Told | None = column.told_by(outputs.meant_by_order(first.this))
    if told is None or not told.iso or first.args.get("desc"):
        raise NotProvenError(
            "ORDER BY does not put earlier days first, so days in a row are not in its order"
        )


def _day_column(outputs: Outputs, column: WindowColumn, reading: Reading) -> str | None:
    """The output that carries the day, where its values can be read as days of the report."""
    if not reading.same_zone or reading.times in ("epoch", "epoch_ms"):
        return None
    for output in outputs.expressions:
        told = column.told_by(output)
        name = _output_name(output, reading)
        if told is not None and told.iso and name:
            return name
    only_star = len(outputs.expressions) == 1 and isinstance(outputs.expressions[0], exp.Star)
    return column.column.name if only_star and column.alone else None


def _output_name(output: exp.Expr, reading: Reading) -> str | None:
    identifier = output.args.get("alias") if isinstance(output, exp.Alias) else output.this
    if not isinstance(output, exp.Alias | exp.Column) or not isinstance(identifier, exp.Identifier):
        return None
    folds = reading.dialect.name in ("postgresql", "snowflake") and not identifier.args.get("quoted")
    return identifier.name.lower() if folds else identifier.name


def _words(join: exp.Join) -> set[str]:
    return {str(join.args.get(name) or "").upper() for name in ("side", "kind")}


def _spoken(node: exp.Expr) -> str:
    return "a window function" if isinstance(node, exp.Window) else type(node).__name__.upper()
