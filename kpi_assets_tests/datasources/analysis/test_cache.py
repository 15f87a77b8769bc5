from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kpi_assets.contracts import Query, QueryAnalysis
from kpi_assets.datasources.analysis import AnalysisCache, Reading, analyse_query
from kpi_assets.datasources.dialects import MYSQL, SQLITE
from kpi_assets.datasources.sqlite import SqliteArgs
from kpi_assets.errors import QueryError

READING = Reading(SQLITE, times="text")
ANSWER = QueryAnalysis("day", "because", "ts", ("t", "u"))


class Counted:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, text: str, reading: Reading) -> QueryAnalysis:
        self.calls += 1
        return ANSWER


def test_an_analysis_is_made_once(tmp_path: Path) -> None:
    """The second question is answered from the folder, with everything that was said the first time."""
    analyse, cache = Counted(), AnalysisCache(tmp_path / "deep" / "er")
    assert [cache.get("select 1", READING, analyse) for _ in range(3)] == [ANSWER] * 3
    assert analyse.calls == 1


def test_what_decides_is_in_the_key(tmp_path: Path) -> None:
    """Another text, dialect, zone or number of parameters is another question."""
    analyse, cache = Counted(), AnalysisCache(tmp_path)
    cache.get("select 1", READING, analyse)
    cache.get("select 2", READING, analyse)
    for other in (
        Reading(MYSQL),
        Reading(SQLITE, 1, times="text"),
        Reading(SQLITE, same_zone=False, times="text"),
    ):
        cache.get("select 1", other, analyse)
    assert analyse.calls == 5


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"grain": "day"}', b"\xff"])
def test_a_broken_file_costs_only_time(tmp_path: Path, content: bytes) -> None:
    """A file that cannot be read is replaced."""
    analyse, cache = Counted(), AnalysisCache(tmp_path)
    cache.get("select 1", READING, analyse)
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert [cache.get("select 1", READING, analyse) for _ in range(2)] == [ANSWER] * 2
    assert analyse.calls == 2


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    """Without a place to remember, the answer is the same."""
    (tmp_path / "file").write_text("")
    assert AnalysisCache(tmp_path / "file" / "x").get("select 1", READING, Counted()) == ANSWER
    assert AnalysisCache(None).get("select 1", READING, Counted()) == ANSWER


def test_many_at_once(tmp_path: Path) -> None:
    """Threads that ask the same at once all get the whole answer, and one file stays."""
    cache = AnalysisCache(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: cache.get("select 1", READING, Counted()), range(200)))
    assert answers == [ANSWER] * 200
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("text", "args", "message"),
    [
        ("delete from t", {}, "DELETE"),
        ("select 1; select 2", {}, "2 statements"),
        ("select '{from}'", {}, "without them"),
        ("select ?", {"params": [1, 2]}, "holds 2 values"),
        ("select 1", {"parse_date": ["a"]}, "did you mean 'parse_dates'"),
        ("select 1", {"params": 3}, "must be a list"),
    ],
)
def test_refused_at_plan_time(text: str, args: dict[str, object], message: str) -> None:
    """What would never be sent is an error before a run."""
    with pytest.raises(QueryError, match=message):
        analyse_query(
            Query("q", "shop", text, args), SQLITE, SqliteArgs(database="x.db"), AnalysisCache(None)
        )


def test_a_retyped_day_is_not_split() -> None:
    """A `dtype` for the day's column takes it out of the proof."""
    query = Query(
        "q", "shop", "select ts from t where ts >= {from} and ts < {to}", {"dtype": {"ts": "string"}}
    )
    found = analyse_query(query, SQLITE, SqliteArgs(database="x.db"), AnalysisCache(None))
    assert (found.grain, found.day_column) == ("day", None)
