"""`python -m benchmarks.year --days 366 --seed 1`: a year of three reports, on a clock that is moved.

A daily report (02:30 in Berlin) and two weekly ones, with `catch_up: latest`, `all` and `none`, deliver to a folder and
by mail to a real mail server. The daemon is off for nine days around the change of clocks in March, is restarted now
and then, sometimes dies upon a tick; the shop fails to answer 5 % of the queries. Afterwards every promise is checked
against what people got. Ends with 1 where one is broken. Results are kept in `results/year.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "results" / "year.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=366)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip", type=int, default=0, help="days of January and later that are left out")
    parser.add_argument("--json", type=Path, default=RESULTS)
    asked = parser.parse_args()
    os.environ["TZ"] = "UTC"
    time.tzset()
    from benchmarks.year.story import Script, play

    script = Script(days=asked.days, seed=asked.seed)
    script = Script(first=script.first + timedelta(days=asked.skip), days=asked.days, seed=asked.seed)
    started = time.process_time()
    figures = play(script)
    for name, value in asdict(figures).items():
        if name != "broken":
            print(f"{name.replace('_', ' '):<28}{value:>8}")
    for sentence in figures.broken:
        print(f"BROKEN: {sentence}")
    print(f"{'promises broken':<28}{len(figures.broken):>8}")
    print(f"{'CPU seconds':<28}{time.process_time() - started:>8.0f}")
    asked.json.write_text(json.dumps(asdict(figures), indent=1) + "\n", encoding="utf-8")
    return 1 if figures.broken else 0


if __name__ == "__main__":
    sys.exit(main())
