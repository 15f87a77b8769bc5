"""The order of writes, against a place in memory that breaks off anywhere."""

from __future__ import annotations

from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kpi_assets.contracts import Format
from kpi_assets.outputs.remote.publish import Publication
from kpi_assets_tests.outputs.remote.memory import BrokenError, Memory, after, break_off
from kpi_assets_tests.outputs.remote.pages import BEFORE, LATEST, NAME, document, published, weeks_in

FORMATS: tuple[Format, ...] = ("html", "md")
WRITES = 14
"""More than any delivery needs."""


def publish(place: Memory, weeks_back: int, formats: tuple[Format, ...] = FORMATS) -> None:
    Publication(document(weeks_back, formats), frozenset(formats)).publish(place)


def latest(place: Memory) -> set[int]:
    """The editions whose numbers the page of `latest` shows."""
    return weeks_in(place.tree.get(f"{LATEST}/index.html", b""))


def test_what_lies_where() -> None:
    """An edition has a folder under KPI Reporter's name, `latest` its page, and there is an archive."""
    place = Memory()
    publish(place, 0)
    assert {path for path in place.tree if not path.startswith(".")} == {
        f"{NAME}/index.html",
        f"{NAME}/index.md",
        f"{NAME}/figures/chart-plot.svg",
        f"{LATEST}/index.html",
        f"{LATEST}/index.md",
        "index.html",
    }


def test_every_format_has_its_name() -> None:
    """PDF and PNG lie beside the folder, under the edition's name and under `latest`; CSV lies in the edition."""
    formats: tuple[Format, ...] = ("html", "csv", "pdf", "png")
    assert set(formats) < set(get_args(Format))
    place = Memory()
    publish(place, 0, formats)
    assert {path for path in place.tree if not path.endswith((".html", ".json"))} == {
        *(f"{name}.{kind}" for name in (NAME, LATEST) for kind in ("pdf", "png")),
        f"{NAME}/data/k.csv",
    }


def test_markdown_in_latest_shows_the_editions_figures() -> None:
    """The pictures of `latest/index.md` are those of the edition's own folder, which no later edition replaces."""
    place = Memory()
    publish(place, 0)
    assert f"](../{NAME}/figures/chart-plot.svg)".encode() in place.tree[f"{LATEST}/index.md"]


def test_editions_point_at_each_other() -> None:
    """An edition that is made late is linked from the one after it, and from `latest`."""
    place = Memory()
    publish(place, 0)
    assert f"../{BEFORE}/index.html".encode() not in place.tree[f"{NAME}/index.html"]
    publish(place, 1)
    for folder in (NAME, LATEST):
        assert f'href="../{BEFORE}/index.html">Week before<'.encode() in place.tree[f"{folder}/index.html"]


def test_a_strangers_index_stays() -> None:
    """An index.html at the top that is not ours is left alone."""
    place = Memory()
    place.tree["index.html"] = b"<h1>Home of the company</h1>"
    publish(place, 0)
    assert place.tree["index.html"] == b"<h1>Home of the company</h1>"


def test_alone() -> None:
    """Without `latest` the edition's own files are written, and nothing is read or listed."""

    class Blind(Memory):
        names = read = has = None  # type: ignore[assignment]

    place = Blind()
    Publication(document(), frozenset({"html"})).publish_alone(place)  # type: ignore[arg-type]
    assert set(place.tree) == {f"{NAME}/index.html"}


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, WRITES)), max_size=7))
@example([(1, WRITES), (0, 4)])
@example([(0, WRITES), (3, 5), (1, 2)])
def test_whatever_breaks_off(deliveries: list[tuple[int, int]]) -> None:
    """After each delivery in any order, broken off anywhere, `latest` shows one edition, and never an older one."""
    place, shown = Memory(), {9}
    for weeks_back, writes in deliveries:
        place.before_write = after(writes, break_off)
        with suppress(BrokenError):
            publish(place, weeks_back)
        now = latest(place) or {9}
        assert len(now) == 1
        assert max(now) <= max(shown)
        shown = now
        for path, content in published(place.tree, LATEST).items():
            assert len(weeks_in(content)) == 1, path
            if now != {9} and path == "index.html":
                (back,) = now
                name = Publication(document(back, FORMATS), frozenset(FORMATS)).edition.name
                assert {"index.html", "index.md", "figures/chart-plot.svg"} <= set(
                    published(place.tree, name)
                )
    place.before_write = lambda: None
    whole = Memory()
    for weeks_back in sorted({back for back, _ in deliveries}, reverse=True):
        publish(place, weeks_back)
        publish(whole, weeks_back)
    assert place.tree == whole.tree


@pytest.mark.parametrize("writes", range(WRITES))
@pytest.mark.parametrize(("one", "other"), [(1, 0), (0, 1)])
def test_two_at_the_same_moment(one: int, other: int, writes: int) -> None:
    """Whenever one edition is published while another one is, the newer is the latest."""
    place = Memory()
    came: list[int] = []

    def come() -> None:
        came.append(other)
        publish(place, other)

    place.before_write = after(writes, come)
    publish(place, one)
    assert latest(place) == ({0} if came else {one})


def test_an_unfinished_folder_is_no_edition() -> None:
    """A folder without its page is neither linked nor latest."""
    place = Memory()
    place.tree[f"{NAME}/figures/chart-plot.svg"] = b"<svg/>"
    publish(place, 1)
    assert latest(place) == {1}
    assert NAME.encode() not in place.tree["index.html"]


def test_notes_that_cannot_be_read_are_made_again() -> None:
    """BrokenError notes cost the archive the words of other editions, and nothing else."""
    place = Memory()
    publish(place, 1)
    place.tree[".editions.json"] = b"[1, 2"
    publish(place, 0)
    assert latest(place) == {0}
    assert BEFORE.encode() in place.tree["index.html"]
