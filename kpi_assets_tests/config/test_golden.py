"""What a person sees for each kind of broken file: `golden/config/*.yaml` -> `*.txt`.

After a wanted change: `UPDATE_GOLDEN=1 pytest kpi_assets_tests/config/test_golden.py`, then read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kpi_assets.config import load_report
from kpi_assets.errors import ConfigError

FOLDER = Path(__file__).parent.parent / "golden" / "config"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_errors_read_as_agreed(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken file is refused with exactly the text that was agreed on."""
    monkeypatch.chdir(FOLDER)
    with pytest.raises(ConfigError) as caught:
        load_report([Path(f"{case}.yaml")])
    golden = FOLDER / f"{case}.txt"
    text = f"{caught.value}\n"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_no_golden_text_holds_a_secret() -> None:
    """The secret that the broken files contain stands in no error text."""
    holders = [path for path in FOLDER.glob("*.yaml") if b"hunter2" in path.read_bytes()]
    assert holders
    assert not [path.name for path in holders if "hunter2" in path.with_suffix(".txt").read_text("utf-8")]
