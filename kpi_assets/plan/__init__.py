"""Config + registry -> ReportPlan: names resolved, arguments validated, grains decided. No I/O towards backends.

Everything that can fail before a run fails here, and all of it at once: `read_plan` raises one ConfigError with every
problem of the file.
"""

from kpi_assets.plan.build import build_plan
from kpi_assets.plan.hashing import digest
from kpi_assets.plan.model import ReportPlan
from kpi_assets.plan.parts import (
    ConditionPlan,
    DatasourcePlan,
    OutputPlan,
    QueryPlan,
    RecipientsPlan,
    ViewPlan,
)
from kpi_assets.plan.reading import read_plan

__all__ = [
    "ConditionPlan",
    "DatasourcePlan",
    "OutputPlan",
    "QueryPlan",
    "RecipientsPlan",
    "ReportPlan",
    "ViewPlan",
    "build_plan",
    "digest",
    "read_plan",
]
