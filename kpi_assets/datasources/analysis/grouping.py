"""GROUP BY: what its keys are, and that outputs depend on keys and aggregates alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from kpi_assets.datasources.analysis import known
from kpi_assets.datasources.analysis.days import Level, WindowColumn
from kpi_assets.datasources.dialects import Dialect


class NotProvenError(Exception):
    """The proof ends here; the message completes the sentence "window, because"."""


@dataclass(frozen=True)
class Outputs:
    """The expressions after SELECT."""

    select: exp.Select

    @property
    def expressions(self) -> list[exp.Expr]:
        return self.select.expressions

    def numbered(self, node: exp.Expr) -> exp.Expr | None:
        """The output that a number such as the 1 of `GROUP BY 1` means."""
        if not isinstance(node, exp.Literal) or node.is_string or not node.name.isdigit():
            return None
        if any(output.find(exp.Star) and not output.find(exp.Count) for output in self.expressions):
            raise NotProvenError("a key is a number among outputs with *")
        number = int(node.name)
        if not 1 <= number <= len(self.expressions):
            raise NotProvenError(f"there is no output number {number}")
        return _inner(self.expressions[number - 1])

    def aliased(self, node: exp.Expr) -> exp.Expr | None:
        """The output that a bare name means, if one has it."""
        if not isinstance(node, exp.Column) or node.table:
            return None
        for output in self.expressions:
            if isinstance(output, exp.Alias) and output.alias.lower() == node.name.lower():
                return output.this
        return None

    def meant_by_order(self, node: exp.Expr) -> exp.Expr:
        """What a key of ORDER BY means: outputs go before columns, in every dialect."""
        return self.numbered(node) or self.aliased(node) or node


@dataclass(frozen=True)
class Grouping:
    """The groups of one SELECT."""

    select: exp.Select
    dialect: Dialect

    @cached_property
    def keys(self) -> list[exp.Expr]:
        """The keys, with numbers and names of outputs replaced by what they mean."""
        group = self.select.args.get("group")
        return [self._key(node) for node in group.expressions] if group else []

    @cached_property
    def aggregates(self) -> bool:
        """Whether an aggregate is computed."""
        scope = [*self.select.expressions, self.select.args.get("having"), self.select.args.get("order")]
        return any(node is not None and node.find(*known.AGGREGATES) for node in scope)

    def check(self, column: WindowColumn | None) -> None:
        """Raises NotProvenError where an output of a group is that of some row of it."""
        having = self.select.args.get("having")
        if not self.keys and not self.aggregates and having is None:
            return
        for output in [*self.select.expressions, *([having.this] if having else [])]:
            if not self._is_covered(_inner(output), column):
                raise NotProvenError(f"{output.sql()[:60]} is not determined by the GROUP BY keys")

    def _key(self, node: exp.Expr) -> exp.Expr:
        outputs = Outputs(self.select)
        if (numbered := outputs.numbered(node)) is not None:
            return numbered
        aliased = outputs.aliased(node)
        if aliased is None or aliased == node:
            return node
        if self.dialect.alias_is_checked:
            return aliased
        raise NotProvenError(
            f"`GROUP BY {node.name}` means a column of that name before the output, if the table has one: "
            f"write GROUP BY 1, or group by the expression"
        )

    def _is_covered(self, node: exp.Expr, column: WindowColumn | None) -> bool:
        if node in self.keys or isinstance(
            node, exp.Literal | exp.Null | exp.Boolean | exp.DataType | exp.Var
        ):
            return True
        if isinstance(node, (*known.AGGREGATES, exp.Filter)) or self._is_day_of_key(node, column):
            return True
        if isinstance(node, exp.Column):
            aliased = Outputs(self.select).aliased(node)
            return self.dialect.alias_is_checked and aliased is not None and aliased != node
        children = list(_children(node))
        return bool(children) and all(self._is_covered(child, column) for child in children)

    def _is_day_of_key(self, node: exp.Expr, column: WindowColumn | None) -> bool:
        """Another way to write the day, where some key tells the day."""
        told = column.told_by(node) if column else None
        return (
            column is not None
            and told is not None
            and told.level is Level.DAY
            and any(column.told_by(key) for key in self.keys)
        )


def _inner(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Alias | exp.Paren):
        node = node.this
    return node


def _children(node: exp.Expr) -> Iterator[exp.Expr]:
    yield from node.iter_expressions()
