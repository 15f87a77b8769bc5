from __future__ import annotations

import gzip
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kpi_assets.contracts import Query, Window
from kpi_assets.errors import DataError, PluginError, QueryError, RetriableError
from kpi_assets_tests.datasources.api import Asked, Reply, serving
from kpi_assets_tests.datasources.helpers import WEEK, ask, make
from kpi_assets_tests.outputs.s3_peer import KEY, SECRET, TOKEN, empty_bucket, s3_server
from kpi_assets_tests.secrets import secret

SIGNATURE = secret("signature")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a few files, one of them with a name that has all sorts of signs."""
    monkeypatch.chdir(tmp_path)
    write("a.csv", "time,n,from\n2024-11-17T23:00:00Z,1,x\n2024-11-24T23:00:00Z,9,x\n")
    write("b.csv", "time,extra,n\n2024-11-18T10:00:00Z,ü,2.5\n")
    with gzip.open("c.csv.gz", "wt", encoding="utf-8") as file:
        file.write("time,n\n2024-11-19 10:00:00,3\n")
    write("it's [all] größe.csv", "n\n4\n")
    write(
        "lines.jsonl", '{"time": "2024-11-18T10:00:00+01:00", "from": "ä"}\n{"from": null, "o": {"k": [1]}}\n'
    )
    duckdb.execute("copy (select 7 as n, date '2024-11-18' as day) to 'p.parquet'").fetchall()
    return tmp_path


def write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


def got(text: str = "", window: Window = WEEK, **args: Any) -> pd.DataFrame:
    source = make("file", **{"retry_for": 0, **args})
    try:
        return ask(source, text, window)
    finally:
        source.close()


def refused(text: str = "", **args: Any) -> str:
    with pytest.raises(QueryError) as caught:
        got(text, **args)
    return str(caught.value)


def test_an_empty_query_gives_the_files_rows() -> None:
    """All files of a glob together, columns matched by name, cut to the window at the report's midnights."""
    found = got(path=["[ab].csv", "c.csv.gz"], time_column="time")
    assert list(found.columns) == ["time", "n", "from", "extra"]
    assert list(found["n"]) == [1.0, 2.5, 3.0]
    assert str(found.dtypes["time"]) == "datetime64[ns, Europe/Berlin]"
    assert list(found["time"].dt.hour) == [0, 11, 10]


def test_every_format() -> None:
    """Parquet, JSON lines, CSV and packed CSV are read by their suffix; nested values are JSON text."""
    assert got(path="p.parquet").to_dict("list") == {"n": [7], "day": [pd.Timestamp("2024-11-18")]}
    assert got(path="lines.jsonl")["from"].tolist() == ["ä", None]
    assert got(path="lines.jsonl")["o"].tolist() == [None, '{"k": [1]}']
    assert got(path="c.csv.gz")["n"].tolist() == [3]
    assert sorted(got("select n from files", path=["p.parquet", "b.csv"])["n"]) == [2.5, 7.0]


def test_sql_over_tables() -> None:
    """Each file is a table named by its stem, `tables` gives names of one's own, and `from` is a column like others."""
    text = 'select a."from", p.n from a join p on a.n < p.n where a.time >= {from} and a.time < {to}'
    assert got(text, path=["a.csv", "p.parquet"]).to_dict("list") == {"from": ["x"], "n": [7]}
    assert got("select count(*) as k from orders", tables={"orders": "[ab].csv"})["k"][0] == 3
    assert got('from "it\'s [all] größe"', path="*.csv")["n"].tolist() == [4]


def test_files_of_one_stem() -> None:
    """Two files of one stem are no table of their own, and both are in `files`."""
    Path("sub").mkdir()
    write("sub/a.csv", "n\n5\n")
    assert got("select n from files order by n", path="**/a.csv")["n"].tolist() == [1, 5, 9]
    assert "a does not exist" in refused("from a", path="**/a.csv")


def test_empty_files_change_nothing() -> None:
    """A file of no bytes and one with a header only add no rows, no columns and no other types."""
    before = got(path="a.csv")
    write("empty.csv", "")
    write("header.csv", "time,n,from\n")
    after = got(path=["a.csv", "empty.csv", "header.csv"])
    pd.testing.assert_frame_equal(before, after)
    assert len(got(path="header.csv", time_column="time")) == 0
    assert "empty.csv is empty" in refused(path="empty.csv")
    write("quiet.jsonl", "")
    assert list(got(path="quiet.jsonl", time_column="time").columns) == ["time"]


@pytest.mark.parametrize("zone", ["", "+01:00"])
def test_moments_in_json_with_fractions_of_a_second_are_time(zone: str) -> None:
    """`time_column` is time although DuckDB takes such text for text, with an offset and without; null stays empty."""
    moments = [
        f"2024-11-{day}.000{zone}" for day in ("17T23:59:59", "18T00:00:00", "24T23:59:59", "25T00:00:00")
    ]
    write("moments.jsonl", "".join(f'{{"at": "{at}"}}\n' for at in moments) + '{"at": null}\n')
    frame = got(path="moments.jsonl", time_column="at")
    assert [str(at) for at in frame["at"]] == ["2024-11-18 00:00:00+01:00", "2024-11-24 23:59:59+01:00"]


def test_a_late_surprise_decides_the_type() -> None:
    """A column whose last row is no number is text as a whole, rather than an error."""
    write("late.csv", "n\n" + "1\n" * 30_000 + "none\n")
    assert got("select count(*) as k, max(n) as m from late", path="late.csv").iloc[0].tolist() == [
        30_001,
        "none",
    ]


def test_missing_files(folder: Path) -> None:
    """A path that is not there, a glob without a match and an unknown suffix are errors that show the path."""
    assert f"there is no file {folder}/nope.csv" in refused(path="nope.csv")
    assert f"no file matches {folder}/n*.csv" in refused(path="n*.csv")
    write("x.dat", "1")
    assert "x.dat has no known suffix: set `format`" in refused(path="x.dat")
    assert got(path="x.dat", format="csv", header=False).shape == (1, 1)


def test_broken_files() -> None:
    """A file that is not what its suffix says is an error without a line of it."""
    write("broken.parquet", "secret")
    write("broken.jsonl", '{"secret": 1}\n{"secret"\n')
    for name in ("broken.parquet", "broken.jsonl"):
        message = refused(path=name)
        assert name in message
        assert '"secret"' not in message


@pytest.mark.parametrize(
    "text",
    [
        "from '{}'",
        "select * from read_csv('{}')",
        "select * from read_text('/etc/hosts')",
        "select * from glob('/etc/*')",
    ],
)
def test_other_files_are_out_of_reach(folder: Path, text: str) -> None:
    """Queries read the named files and no other."""
    assert "disabled by configuration" in refused(text.replace("{}", str(folder / "b.csv")), path="a.csv")


def test_nothing_is_written(folder: Path) -> None:
    """Queries that write are refused, and the folder is as it was."""
    before = sorted(folder.iterdir())
    assert "not a statement that reads" in refused("copy (select 1) to 'x.csv'", path="a.csv")
    assert sorted(folder.iterdir()) == before


def test_excel_needs_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without openpyxl a workbook is an error that says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    write("book.xlsx", "x")
    with pytest.raises(PluginError, match=r"pip install 'kpi-assets\[xlsx\]'"):
        got(path="book.xlsx")


def test_a_workbook_is_read() -> None:
    """The first sheet's rows, cut to the window at the report's midnights; numbers, times, truths and gaps as such."""
    workbook(
        "book.xlsx",
        [
            ("time", "n", "share", "ok", "note"),
            (datetime(2024, 11, 17, 23, 59), 1, 0.5, True, "before"),
            (datetime(2024, 11, 18), 2, None, False, "=1+1"),
            (datetime(2024, 11, 24, 23, 59), 3, 0.25, True, None),
            (datetime(2024, 11, 25), 4, 1.0, True, "after"),
        ],
    )
    found = got(path="book.xlsx", time_column="time")
    assert list(found["n"]) == [2, 3]
    assert [str(time) for time in found["time"]] == ["2024-11-18 00:00:00+01:00", "2024-11-24 23:59:00+01:00"]
    assert found["share"].isna().tolist() == [True, False]
    assert found["ok"].tolist() == [False, True]
    assert found["note"].isna().tolist() == [False, True]
    assert got("select sum(n) as n from files", path="book.xlsx").to_dict("list") == {"n": [10]}


def test_workbooks_and_other_files_are_one_table() -> None:
    """Rows of workbooks and CSV files are put together by the names of columns."""
    workbook("x.xlsx", [("n",), (5,)])
    workbook("y.xlsx", [("n", "more"), (6, "z")])
    write("z.csv", "n\n7\n")
    found = got("select n from files order by n", path=["x.xlsx", "y.xlsx", "z.csv"])
    assert found["n"].tolist() == [5, 6, 7]


def test_what_is_no_workbook_is_refused() -> None:
    """A file that is only called .xlsx is an error that names it, not a crash."""
    write("book.xlsx", "time,n")
    with pytest.raises(DataError, match=r"book.xlsx is no Excel workbook"):
        got(path="book.xlsx")


def workbook(name: str, rows: list[tuple[object, ...]]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for cell in (cell for row in sheet.iter_rows() for cell in row if str(cell.value).startswith("=")):
        cell.data_type = "s"
    book.save(name)


def test_arguments() -> None:
    """Something must be read, and `files` is nobody's table; an empty query over several tables must choose."""
    for args in ({}, {"tables": {"Files": "a.csv"}}):
        with pytest.raises(ValidationError):
            make("file", **args)
    assert "write `from name` (x, y)" in refused(tables={"x": "a.csv", "y": "b.csv"})


def test_grain() -> None:
    """The file's rows are cut by days where a time column is named, as SQL over them is where that is proven."""
    cases = [
        ("", "time", "day"),
        ("", None, "window"),
        ("select count(*) from a where time >= {from}", None, "window"),
    ]
    for text, column, grain in cases:
        source = make("file", path="a.csv", time_column=column)
        assert source.analyse(Query("q", "shop", text), source.args).grain == grain


def test_files_elsewhere() -> None:
    """A file is fetched from a web server once, with the name that its address has."""

    def answer(asked: Asked) -> Any:
        return Reply("n\n1\n2\n") if asked.path == "/x/far.csv" else Reply("", 404)

    with serving(answer) as api:
        url = f"{api.url}/x/far.csv?signature={SIGNATURE}"
        assert got("select sum(n) as s from far", path=url)["s"][0] == 3
        message = refused(path=f"{api.url}/nope.csv?signature={SIGNATURE}")
    assert "nope.csv" in message
    assert SIGNATURE not in message
    with pytest.raises(RetriableError, match=r"far\.csv cannot be fetched") as caught:
        got(path=url)
    assert SIGNATURE not in str(caught.value)


@settings(max_examples=15)
@given(st.lists(st.integers(-3 * 86_400, 8 * 86_400), min_size=1, max_size=20))
def test_days_make_the_whole(seconds: list[int]) -> None:
    """The rows of the days are the rows of the window, over a change of the clocks too."""
    window = Window(date(2024, 3, 29), date(2024, 4, 2), "Europe/Berlin")
    start = datetime.fromisoformat("2024-03-29T00:00:00+00:00")
    rows = [f"{(start + timedelta(seconds=s)).isoformat()},{n}" for n, s in enumerate(seconds)]
    write("days.csv", "\n".join(["time,n", *rows]) + "\n")
    source = make("file", path="days.csv", time_column="time")
    parts = [ask(source, "", Window.of_day(day, window.zone)) for day in window.days]
    whole = ask(source, "", window)
    source.close()
    assert sorted(n for part in parts for n in part["n"]) == sorted(whole["n"])


def test_files_in_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """A glob over S3 gives the rows of its objects; a bucket or a key that is not there is named, the login is not."""
    pytest.importorskip("s3fs")
    with s3_server() as port:
        bucket = empty_bucket(port, monkeypatch)
        for day in (18, 19):
            bucket.put_object(Key=f"in/ä-{day}.csv", Body=f"day,n\n2024-11-{day},{day}\n".encode())
        login = {"endpoint_url": f"http://127.0.0.1:{port}", "key": KEY, "secret": SECRET, "token": TOKEN}
        found = got(path=f"s3://{bucket.name}/in/*.csv", storage_options=login, time_column="day")
        assert found["n"].tolist() == [18, 19]
        for path in (f"s3://{bucket.name}/in/nope.csv", f"s3://{bucket.name}/none/*", "s3://no-such/x.csv"):
            message = refused(path=path, storage_options=login)
            assert path in message
            assert SECRET not in message
