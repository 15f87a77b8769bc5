"""`columns:` of a query as Dagster knows it: dagster-pandas constraints, a frame type, and the column schema.

The constraints ask `frames.contract`, so the type, the asset check and the command line say the same. Those that come
with dagster-pandas are not used: their messages print the offending rows, which may be secret, and their datetime
column takes nanoseconds alone.
"""

import re
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pandas as pd
from dagster_pandas import PandasColumn, create_dagster_pandas_dataframe_type
from dagster_pandas.constraints import ColumnConstraint, ColumnConstraintViolationException

from kpi_assets.contracts import ColumnContract, Query
from kpi_assets.frames.contract import Rule, Violation, describe, violations

TYPES = {"string": "string", "integer": "int", "float": "float", "number": "float", "boolean": "bool"}
"""Our types under the names that Dagster's UI has icons for; the others are called as they are."""


class PromiseConstraint(ColumnConstraint):
    """One promise of a column's contract."""

    def __init__(self, contract: ColumnContract, rule: Rule) -> None:
        self.contract, self.rule = contract, rule
        text = describe(contract)[rule]
        super().__init__(error_description=text, markdown_description=text)

    def validate(self, dataframe: pd.DataFrame, column_name: str) -> None:
        """Raises dagster-pandas' own exception, without the offending values."""
        for found in violations(dataframe, [self.contract]):
            if found.rule == self.rule:
                raise ColumnConstraintViolationException(self.rule, str(found), column_name)


def frame_type(report: str, query: Query) -> dg.DagsterType:
    """The frames that keep the query's contract, as a type of Dagster that describes every column."""
    name = re.sub(r"\W", "_", f"{report}_{query.id}_frame", flags=re.ASCII)
    with _beta_is_known():
        return create_dagster_pandas_dataframe_type(
            name=name, description=query.description, columns=pandas_columns(query.columns)
        )


def pandas_columns(contracts: Sequence[ColumnContract]) -> list[PandasColumn]:
    """The contract as columns of dagster-pandas."""
    with _beta_is_known():
        return [
            PandasColumn(
                contract.name, constraints=[PromiseConstraint(contract, rule) for rule in describe(contract)]
            )
            for contract in contracts
        ]


def table_schema(contracts: Sequence[ColumnContract]) -> dg.TableSchema | None:
    """The columns with their types and promises, for the UI; None where nothing was promised."""
    columns = [
        dg.TableColumn(
            contract.name,
            TYPES.get(contract.type or "", contract.type or "any"),
            description=contract.description or None,
            constraints=dg.TableColumnConstraints(
                nullable=contract.nullable, unique=contract.unique, other=_other(contract)
            ),
        )
        for contract in contracts
    ]
    return dg.TableSchema(columns) if columns else None


def check_metadata(found: Sequence[Violation]) -> dict[str, Any]:
    """The violations as a table, for an asset check."""
    records = [
        dg.TableRecord(
            {
                "column": violation.column,
                "promise": violation.rule,
                "rows": violation.count,
                "first rows": ", ".join(map(str, violation.rows)),
            }
        )
        for violation in found
    ]
    return {"broken promises": dg.MetadataValue.table(records)} if records else {}


def _other(contract: ColumnContract) -> list[str]:
    return [text for rule, text in describe(contract).items() if rule not in ("type", "nullable", "unique")]


@contextmanager
def _beta_is_known() -> Generator[None]:
    """All of dagster-pandas is beta, and says so at every call; we pin its minor version and test what we use."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", r".*`(PandasColumn|create_dagster_pandas_dataframe_type)`", dg.BetaWarning
        )
        yield
