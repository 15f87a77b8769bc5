"""Telling the owner what a command did: that it failed, or that all is well again."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpi_assets.cli.console import err, print_error

if TYPE_CHECKING:
    from kpi_assets.assets.run import RunResult
    from kpi_assets.contracts import Window
    from kpi_assets.owner import Incident
    from kpi_assets.plan import ReportPlan

TellOwner = Annotated[
    bool,
    typer.Option(
        "--tell-owner/--no-tell-owner",
        help="Tell the report's `owner` when it fails, and when it works again; never in a dry run.",
    ),
]


class Caller:
    """One call of the command line, whose runs are one incident if they fail."""

    def __init__(self, plan: ReportPlan, *, tells: bool) -> None:
        self.plan, self.tells = plan, tells and plan.owner_output is not None
        self.id = uuid.uuid4().hex

    @property
    def tags(self) -> Mapping[str, str]:
        """Tags of its Dagster runs, by which a sensor knows that they belong together, and who tells."""
        from kpi_assets.assets.runs import call_tags

        return call_tags(self.id, tells=self.tells)

    def tell(self, result: RunResult, windows: Sequence[Window], *, home: Path, whole: bool) -> None:
        """Tell the owner, once. What keeps him from being told is printed. `whole`: all outputs were to deliver."""
        from kpi_assets.errors import KpiAssetsError
        from kpi_assets.owner import tell_owner
        from kpi_assets.session import open_session

        incident = self._incident(result, windows, whole=whole) if self.tells else None
        if incident is None:
            return
        try:
            with open_session(self.plan, home) as session:
                said = tell_owner(session, incident)
        except KpiAssetsError as error:
            print_error(error)
            err.print(f"the owner {self.plan.config.owner} could not be told")
        else:
            if said:
                err.print(said, markup=False)

    def _incident(self, result: RunResult, windows: Sequence[Window], *, whole: bool) -> Incident | None:
        from kpi_assets.assets.runs import call_incident
        from kpi_assets.owner import DAGSTER_URL, Fault, Incident, run_link

        if not (result.errors or result.faults or whole):
            return None
        failures = [Fault(str(failure), ", ".join(failure.assets)) for failure in result.failures]
        faults = failures or [Fault(str(fault)) for fault in result.faults]
        at_fault = sorted(result.at_fault) or list(windows)
        run = result.failures[0].run_id if result.failures else result.run_ids[-1]
        return Incident(
            id=call_incident(self.id),
            kind="failed" if failures else "incomplete" if faults else "recovered",
            editions=tuple(self.plan.edition(window) for window in at_fault),
            last_day=at_fault[-1].last_day,
            faults=tuple(faults),
            run_id=run,
            link=run_link(os.environ.get(DAGSTER_URL, ""), run),
        )
