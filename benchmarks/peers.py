"""Installs the peers into environments of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def kpireport(folder: Path) -> list[str]:
    """The command that runs KPI Reporter on SQLite; installs it on first use, from an exact lock.

    `folder` holds `requirements.lock` and `kpireport_on_sqlite.py`. Bytecode is compiled, as for ours.
    """
    venv = folder.parents[1] / ".venv-peer"
    python = venv / "bin" / "python"
    if not (venv / "complete").exists():
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environ["UV_COMPILE_BYTECODE"] = "1"
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
        lock = str(folder / "requirements.lock")
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", str(python), "-r", lock], check=True, env=environ
        )
        (venv / "complete").touch()
    return [str(python), str(folder / "kpireport_on_sqlite.py")]
