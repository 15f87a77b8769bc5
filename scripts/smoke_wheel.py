"""What must be true of the installed wheel; smoke_wheel.sh runs it in the fresh environment."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

DEV_ONLY = ("pytest", "hypothesis", "ruff", "pyright", "importlinter", "playwright", "time_machine")
PACKAGED = ("py.typed", "demo/weekly_growth.yaml", "definitions.py")


def main() -> None:
    """Check the archive, then the commands; the first fault ends the process with a sentence."""
    check_archive(Path(sys.argv[1]))
    check_environment()
    for command in (("--version",), ("--help",), ("plugins",), ("schema",)):
        kpi_assets(*command)
    check_demo()
    print("the wheel works without dev tools")


def check_archive(wheel: Path) -> None:
    """The wheel holds the package and its data, and no tests."""
    names = zipfile.ZipFile(wheel).namelist()
    for name in PACKAGED:
        require(f"kpi_assets/{name}" in names, f"{wheel.name} lacks kpi_assets/{name}")
    strangers = sorted({n.split("/")[0] for n in names if not n.startswith(("kpi_assets/", "kpi_assets-"))})
    require(not strangers, f"{wheel.name} holds {', '.join(strangers)} beside the package")
    require(any(n.endswith("licenses/LICENSE") for n in names), f"{wheel.name} lacks the licence")


def check_environment() -> None:
    """The package comes from this environment, which has no dev tools."""
    spec = importlib.util.find_spec("kpi_assets")
    require(
        spec is not None and str(spec.origin).startswith(sys.prefix), "kpi_assets is not the installed one"
    )
    present = [name for name in DEV_ONLY if importlib.util.find_spec(name)]
    require(not present, f"dev tools came along: {', '.join(present)}")


def check_demo() -> None:
    """The demo ends with the path of a page that holds the report."""
    last = kpi_assets("demo").strip().splitlines()[-1].strip()
    page = Path(last)
    require(page.is_file() and page.suffix == ".html", f"the demo's last line is no page: {last}")
    require("</svg>" in page.read_text(encoding="utf-8"), f"{page} holds no chart")


def kpi_assets(*args: str) -> str:
    """What the command prints; its error output is shown when it fails."""
    environ = {**os.environ, "COLUMNS": "400", "NO_COLOR": "1", "_TYPER_STANDARD_TRACEBACK": "1"}
    command = [str(Path(sys.prefix) / "bin" / "kpi-assets"), *args]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=300, check=False)
    require(done.returncode == 0, f"kpi-assets {' '.join(args)} ended with {done.returncode}\n{done.stderr}")
    return done.stdout


def require(truth: bool, sentence: str) -> None:
    """End with `sentence` unless `truth`."""
    if not truth:
        sys.exit(sentence)


if __name__ == "__main__":
    main()
