"""`python -m benchmarks.warm`: what we add over the bare SQL and the bare vl-convert calls, in one warm process.

Forty views, each with a query and a chart of its own, rendered to a page; against the same SQL through the same driver
and the same Vega-Lite specs through vl-convert alone. Prints the ratio; the aim is 1.3.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks import data

HERE = Path(__file__).resolve().parent
VIEWS = 40
AIM = 1.3

QUERY = """\
select date(created_at) as day, count(*) as sign_ups_{n} from sign_ups
where created_at >= {{from}} and created_at < {{to}} and amount > {n} group by date(created_at)"""


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        database = data.make(folder / "10000.db", 10_000)
        whole, specs = ours(folder, database)
        bare = theirs(database, specs)
        add, floor = cpu(whole), cpu(bare)
    ratio = add / floor
    print(f"warm, {VIEWS} views: bare {floor:.2f} CPU s, ours {add:.2f}, ratio {ratio:.2f}, aim {AIM}")
    target = HERE / "results" / "warm.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({"bare_cpu": floor, "ours_cpu": add, "ratio": ratio, "aim": AIM}) + "\n")


def cpu(work: Callable[[], object], times: int = 5) -> float:
    """Median CPU seconds of a warm call."""
    work()
    seconds: list[float] = []
    for _ in range(times):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return statistics.median(seconds)


def ours(folder: Path, database: Path) -> tuple[Callable[[], object], list[str]]:
    """The whole way from frames to page without Dagster, and the specs that it drew."""
    from kpi_assets import pipeline
    from kpi_assets.config import load_report
    from kpi_assets.plan import build_plan
    from kpi_assets.session import open_session
    from kpi_assets.views.charts import render

    views = "".join(
        f"  v{n}:\n    plugin: plot\n    title: View {n}\n    args:\n      datasource: shop\n      kind: bar\n"
        f"      query: {json.dumps(QUERY.format(n=n).format(**{'from': '{from}', 'to': '{to}'}))}\n"
        for n in range(VIEWS)
    )
    config = folder / "warm.yaml"
    source = f"datasources: {{shop: {{plugin: sqlite, args: {{database: {database}}}}}}}\n"
    head = "title: Warm\ntimezone: UTC\nend_date: '2024-11-25'\noutputs: {}\n"
    config.write_text(f"{head}{source}views:\n{views}", encoding="utf-8")
    plan = build_plan(load_report([config]), {})
    window = plan.window("2024-11-24")
    homes = iter(range(1000))

    def work() -> object:
        render.forget()
        with open_session(plan, folder / f"home{next(homes)}", {}) as session:
            list(pipeline.fetch_queries(session, [window]))
            list(pipeline.render_views(session, [window]))
            return list(pipeline.compose_documents(session, [window]))

    return work, recorded(work)


def recorded(work: Callable[[], object]) -> list[str]:
    """Every spec that vl-convert is asked to draw while `work` runs."""
    import vl_convert

    draw, specs = vl_convert.vegalite_to_svg, []

    def record(spec: str, **options: object) -> str:
        specs.append(spec)
        return draw(spec, **options)

    vl_convert.vegalite_to_svg = record
    try:
        work()
    finally:
        vl_convert.vegalite_to_svg = draw
    return specs


def theirs(database: Path, specs: list[str]) -> Callable[[], object]:
    """The same SQL and the same drawings, with nothing around them."""
    import vl_convert

    def work() -> object:
        with closing(sqlite3.connect(database)) as connection:
            for n in range(VIEWS):
                text = QUERY.format(n=n).replace("{from}", "?").replace("{to}", "?")
                connection.execute(text, ("2024-11-18", "2024-11-25")).fetchall()
        return [vl_convert.vegalite_to_svg(spec) for spec in specs]

    return work


if __name__ == "__main__":
    main()
