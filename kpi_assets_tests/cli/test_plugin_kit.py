"""`kpi-assets plugins new`: what it makes can be installed, passes its own tests, and works in a report."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REPORT = "timezone: Europe/Berlin\nend_date: 2024-11-25\npartitions: {start: 2024-11-01}\n"


def run(*command: str, cwd: Path) -> str:
    """What the command prints; the test fails where it does."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def own_environment(folder: Path) -> Path:
    """A Python of its own that also sees what this one has, so that nothing is installed in here or downloaded."""
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "outer.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n{ROOT}\n")
    return folder / "bin" / "python"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["datasource", "view", "output"])
def test_a_new_plugin_works_at_once(kind: str, tmp_path: Path) -> None:
    """Installed in place, its tests pass, `plugins` lists and explains it, and the report of its README is made."""
    name = "acme.sample"
    made = run(sys.executable, "-m", "kpi_assets", "plugins", "new", kind, name, cwd=tmp_path).strip()
    package = tmp_path / made
    python = str(own_environment(tmp_path / "env"))
    install = ("-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index")
    run(python, *install, "--disable-pip-version-check", "-e", ".", cwd=package)
    told = run(python, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", cwd=package)
    assert " passed" in told
    assert name in run(python, "-m", "kpi_assets", "plugins", cwd=package)
    assert f"{name} ({kind})" in run(python, "-m", "kpi_assets", "plugins", name, cwd=package)
    (readme,) = re.findall(r"```yaml\n(.*?)```", (package / "README.md").read_text(), flags=re.DOTALL)
    (package / "report.yaml").write_text(REPORT + readme)
    page = run(python, "-m", "kpi_assets", "run", "-c", "report.yaml", cwd=package).strip().splitlines()[-1]
    assert Path(page).read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")


def test_a_new_plugin_never_overwrites(tmp_path: Path) -> None:
    """A folder that is there, and a name that cannot be one, are refused with exit code 2 and nothing is written."""
    new = (sys.executable, "-m", "kpi_assets", "plugins", "new", "view")
    run(*new, "funnel", cwd=tmp_path)
    before = sorted(os.walk(tmp_path))
    for name, says in (
        ("funnel", "is there already"),
        ("My View", "small letters"),
        ("../up", "small letters"),
    ):
        done = subprocess.run([*new, name], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert says in " ".join(done.stderr.split())
    assert sorted(os.walk(tmp_path)) == before
