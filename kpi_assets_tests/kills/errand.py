"""The process that is killed: it delivers an edition that is stored, as a run's last step does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

EDITION, BEFORE = "2024-11-24", "2024-11-17"
SAID = "said"
"""File in the home: what an errand says of its failures."""

LIBRARIES = (
    *(
        "kpi_assets_tests.kills.warm",
        "kpi_assets_tests.kills.errand",
        "kpi_assets.delivery",
        "kpi_assets.config",
        "kpi_assets.ledger.store",
    ),
    *("kpi_assets.outputs.smtp", "kpi_assets.outputs.sendgrid", "kpi_assets.outputs.slack"),
    *(
        "kpi_assets.outputs.webhook",
        "kpi_assets.outputs.s3",
        "kpi_assets.outputs.scp",
        "kpi_assets.outputs.static",
    ),
    *("kpi_assets.views.plot", "kpi_assets.views.single_stat", "kpi_assets.views.table"),
    *(
        "kpi_assets.datasources.sqlite",
        "sqlalchemy.dialects.sqlite",
        "sqlalchemy.dialects.postgresql.psycopg2",
    ),
    *(
        "pandas",
        "pyarrow",
        "sqlglot",
        "stamina",
        "boto3",
        "paramiko",
        "slack_sdk",
        "sendgrid",
        "urllib3",
        "smtplib",
    ),
)
"""What the fork server loads once, so that an errand costs a fork and not a start."""


class Errand(Protocol):
    """A process under way."""

    def kill(self) -> None: ...
    def join(self) -> int:
        """Wait for its end; the exit code."""
        ...

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        ...


class Start(Protocol):
    """Starts a process that delivers the report's edition into the given home and environment."""

    def __call__(self, report: Path, home: Path, environ: Mapping[str, str]) -> Errand: ...


def deliver(report: Path, home: Path, environ: Mapping[str, str]) -> None:
    """Deliver the stored edition; the exit code is 1 where an output fails, as that of `kpi-assets run`."""
    from kpi_assets.config import load_report
    from kpi_assets.delivery import deliver_outputs
    from kpi_assets.plan import build_plan
    from kpi_assets.session import open_session

    os.environ.clear()
    os.environ.update(environ)
    plan = build_plan(load_report([report]), environ)
    with open_session(plan, home, environ) as session:
        windows = [plan.window(EDITION)]
        errors = [str(made.error) for made in deliver_outputs(session, windows) if made.error]
    (home / SAID).write_text("\n".join(errors), encoding="utf-8")
    sys.exit(1 if errors else 0)


@dataclass(frozen=True)
class Forked:
    """An errand in a process of its own, forked from one that has loaded everything."""

    process: BaseProcess

    @classmethod
    def start(cls, report: Path, home: Path, environ: Mapping[str, str]) -> Forked:
        context = get_context("forkserver")
        context.set_forkserver_preload(list(LIBRARIES))
        process = context.Process(target=deliver, args=(report, home, dict(environ)), daemon=True)
        process.start()
        return cls(process)

    def kill(self) -> None:
        self.process.kill()
        self.join()

    def join(self) -> int:
        self.process.join(120)
        code = self.process.exitcode
        if code is None:
            raise RuntimeError("an errand did not end within two minutes")
        return code

    @property
    def over(self) -> bool:
        return self.process.exitcode is not None


@dataclass(frozen=True)
class Commanded:
    """The whole of `kpi-assets run`, from the query on."""

    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, report: Path, home: Path, environ: Mapping[str, str]) -> Commanded:
        command = [sys.executable, "-m", "kpi_assets", "run", "-c", str(report), "--home", str(home)]
        with (home / SAID).open("wb") as said:
            process = subprocess.Popen(command, env=dict(environ), stdout=said, stderr=subprocess.STDOUT)
        return cls(process)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def join(self) -> int:
        return self.process.wait(120)

    @property
    def over(self) -> bool:
        return self.process.poll() is not None
