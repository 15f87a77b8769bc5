from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Document, Window
from kpi_assets.errors import DeliveryError
from kpi_assets.outputs.static import StaticArgs, StaticOutput
from kpi_assets.reports.compose import compose
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets_tests.reports.pages import Page
from kpi_assets_tests.reports.samples import HOSTILE, WEEK, block, meta, picture, stat

SLUG = "weekly-growth-report"
NAME = f"2024-11-18_2024-11-25_{SLUG}"


def document(weeks_back: int = 0, *formats: str, **more: object) -> Document:
    shift = timedelta(days=7 * weeks_back)
    window = Window(WEEK.start - shift, WEEK.end - shift, WEEK.zone)
    about = meta(window=window, edition=window.key, **more)
    blocks = (block("k", stat(value=str(1000 - weeks_back))), block("chart", picture()))
    return compose(about, blocks, formats or ("html",), Theme(), NumberStyle())  # type: ignore[arg-type]


def output(folder: Path, **args: Any) -> StaticOutput:
    return StaticOutput("site", StaticArgs(output_dir=folder, **args))


def tree(folder: Path) -> set[str]:
    paths = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {path for path in paths if not path.startswith(".")}


def links(path: Path) -> dict[str, str]:
    """The masthead's links: text by address."""
    source = path.read_text(encoding="utf-8")
    nav = source[source.index('<nav aria-label="Editions">') :].partition("</nav>")[0] + "</nav>"
    page = Page(nav)
    return dict(zip([a["href"] for a in page.all("a")], page.words, strict=True))


def test_names_are_kpi_reporters(tmp_path: Path) -> None:
    """An edition lies under start, exclusive end and slug, and again under latest; the receipt says where."""
    made = document()
    receipt = output(tmp_path).deliver(made)
    assert tree(tmp_path) == {"index.html", f"{NAME}/index.html", f"latest-{SLUG}/index.html"}
    assert receipt.location == str(tmp_path / NAME / "index.html")
    assert (receipt.output, receipt.effect, receipt.content_hash) == ("site", "publish", made.content_hash)


def test_every_format(tmp_path: Path) -> None:
    """Pages and Markdown share the edition's folder; PNG and PDF lie beside it."""
    wanted = ("html", "md", "png", "pdf")
    output(tmp_path, output_format=wanted).deliver(document(0, *wanted))
    both = {f"{name}{rest}" for name in (NAME, f"latest-{SLUG}") for rest in (".png", ".pdf")}
    files = {f"{name}/{file}" for name in (NAME, f"latest-{SLUG}") for file in ("index.html", "index.md")}
    assert tree(tmp_path) - {"index.html"} == both | files | {
        f"{name}/figures/chart-plot.svg" for name in (NAME, f"latest-{SLUG}")
    }


def test_one_format_alone(tmp_path: Path) -> None:
    """`png` writes what KPI Reporter's png wrote, and the archive."""
    receipt = output(tmp_path, output_format="png").deliver(document(0, "png"))
    assert tree(tmp_path) == {"index.html", f"{NAME}.png", f"latest-{SLUG}.png"}
    assert receipt.location == str(tmp_path / f"{NAME}.png")


def test_nothing_stale_is_left(tmp_path: Path) -> None:
    """A file of an earlier delivery that is not in this one is gone."""
    output(tmp_path).deliver(document())
    (tmp_path / NAME / "old.svg").write_text("old")
    output(tmp_path).deliver(document())
    assert f"{NAME}/old.svg" not in tree(tmp_path)


def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    """Delivering an edition twice leaves the same bytes."""
    site = output(tmp_path)
    site.deliver(document())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    site.deliver(document())
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_latest_is_the_newest_edition(tmp_path: Path) -> None:
    """A backfill of old editions, in any order, never moves latest back."""
    site = output(tmp_path)
    for weeks_back in (2, 0, 3, 1):
        site.deliver(document(weeks_back))
    assert "1000" in (tmp_path / f"latest-{SLUG}" / "index.html").read_text(encoding="utf-8")


def test_links_between_editions(tmp_path: Path) -> None:
    """Each edition links the one before it and the archive, however late that one was made."""
    site = output(tmp_path)
    for weeks_back in (0, 2):
        site.deliver(document(weeks_back))
    newest = tmp_path / NAME / "index.html"
    assert links(newest) == {
        f"../2024-11-04_2024-11-11_{SLUG}/index.html": "Edition before",
        "../index.html": "All editions",
    }
    site.deliver(document(1))
    between = f"../2024-11-11_2024-11-18_{SLUG}/index.html"
    assert links(newest) == {between: "Week before", "../index.html": "All editions"}
    assert links(tmp_path / f"latest-{SLUG}" / "index.html") == links(newest)
    assert links(tmp_path / f"2024-11-04_2024-11-11_{SLUG}" / "index.html") == {
        "../index.html": "All editions"
    }


def test_every_link_leads_somewhere(tmp_path: Path) -> None:
    """All relative links of all pages of a folder lead to files in it."""
    for weeks_back in range(3):
        output(tmp_path).deliver(document(weeks_back))
    pages = [tmp_path / name for name in tree(tmp_path) if name.endswith(".html")]
    assert len(pages) == 5
    for path in pages:
        page = Page(path.read_text(encoding="utf-8"))
        assert page.problems == []
        found = [a["href"] for a in page.all("a") if not a["href"].startswith("#")]
        assert found
        assert all((path.parent / href).is_file() for href in found)


def test_the_archive(tmp_path: Path) -> None:
    """The archive lists all editions, newest first, with days and lead, in the look of the pages."""
    for weeks_back in (1, 0, 2):
        output(tmp_path).deliver(document(weeks_back))
    source = (tmp_path / "index.html").read_text(encoding="utf-8")
    page = Page(source)
    order = [a["href"][:10] for a in page.all("a") if a["href"].endswith("/index.html")]
    assert order == ["2024-11-18", "2024-11-11", "2024-11-04"]
    assert "Mon, Nov 18 – Sun, Nov 24, 2024" in page.text
    assert "Sign-ups rose to 1000" in page.text
    assert "--paper:#fbfaf7" in source
    assert page.text.startswith("Weekly growth report: all editions")


def test_an_archive_of_two_reports(tmp_path: Path) -> None:
    """Two reports that share a folder are listed apart and have their own latest."""
    output(tmp_path).deliver(document())
    output(tmp_path).deliver(document(1, title=HOSTILE))
    source = (tmp_path / "index.html").read_text(encoding="utf-8")
    page = Page(source)
    assert page.problems == []
    assert page.all("script") == []
    assert len(page.all("h2")) == 2
    assert len([path for path in tmp_path.iterdir() if path.name.startswith("latest-")]) == 2
    assert links(tmp_path / NAME / "index.html") == {"../index.html": "All editions"}


def test_a_strangers_index_stays(tmp_path: Path) -> None:
    """An index.html that we did not write is not overwritten."""
    (tmp_path / "index.html").write_text("mine")
    output(tmp_path).deliver(document())
    assert (tmp_path / "index.html").read_text() == "mine"


def test_editions_of_another_program_are_listed(tmp_path: Path) -> None:
    """A folder that KPI Reporter left is an edition in the archive, and broken names are passed over."""
    for name in (f"2024-11-11_2024-11-18_{SLUG}", "2024-13-45_2024-11-18_x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text("<p>old</p>")
    output(tmp_path).deliver(document())
    source = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "2024-11-11 – 2024-11-18 (not included)" in source
    assert "2024-13" not in source


def test_keep(tmp_path: Path) -> None:
    """With `keep: 2` the two newest editions stay, other reports are not touched."""
    output(tmp_path).deliver(document(9, title="Other"))
    for weeks_back in (3, 2, 1, 0):
        output(tmp_path, keep=2).deliver(document(weeks_back))
    editions = sorted(path.name[:10] for path in tmp_path.iterdir() if path.name.startswith("2024"))
    assert editions == ["2024-09-16", "2024-11-11", "2024-11-18"]


def test_other_window_lengths_have_their_own_name(tmp_path: Path) -> None:
    """An edition over another length lies beside the regular one; of two that end together the shorter is latest."""
    month = Window(date(2024, 10, 26), WEEK.end, WEEK.zone)
    output(tmp_path).deliver(document())
    output(tmp_path).deliver(replace(document(), window=month))
    assert f"2024-10-26_2024-11-25_{SLUG}/index.html" in tree(tmp_path)
    latest = (tmp_path / f"latest-{SLUG}" / "index.html").read_bytes()
    assert latest == (tmp_path / NAME / "index.html").read_bytes()


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder without rights is told by name, with the fix."""
    tmp_path.chmod(0o500)
    with pytest.raises(DeliveryError, match="cannot be written by user") as caught:
        output(tmp_path / "site").deliver(document())
    assert str(tmp_path / "site") in str(caught.value)


def test_a_file_in_the_way(tmp_path: Path) -> None:
    """A file where the folder should be is told by name, with the fix, and stays."""
    (tmp_path / "site").write_text("mine")
    with pytest.raises(DeliveryError, match="choose another `output_dir`") as caught:
        output(tmp_path / "site" / "deep").deliver(document())
    assert caught.value.output == "site"
    assert f"a file is in the way ({tmp_path / 'site'})" in str(caught.value)
    assert (tmp_path / "site").read_text() == "mine"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "disk of .* is full"),
        (errno.EROFS, "cannot be written by user"),
        (errno.EACCES, "cannot be written by user"),
        (errno.EIO, "error"),
    ],
)
def test_what_a_failing_disk_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    """Each way in which a disk gives up is told in its own words, with what to do."""
    fail_at(monkeypatch, 1, code)
    with pytest.raises(DeliveryError, match=words):
        output(tmp_path).deliver(document())


@pytest.mark.parametrize("write", range(1, 6))
def test_a_disk_that_fills_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: int) -> None:
    """At whichever file the disk is full, everything that was in the folder is as it was, and nothing else is there."""
    output(tmp_path).deliver(document(0))
    output(tmp_path).deliver(document(2))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    count = fail_at(monkeypatch, write, errno.ENOSPC)
    with pytest.raises(DeliveryError, match=r"disk of .* is full"):
        output(tmp_path).deliver(document(1, lead="The second."))
    assert count() == write
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def fail_at(monkeypatch: pytest.MonkeyPatch, write: int, code: int) -> Callable[[], int]:
    """Let the given write, counted from 1, write half and fail; gives a function that says how many there were."""
    real, count = Path.write_bytes, 0

    def write_bytes(path: Path, content: bytes) -> int:
        nonlocal count
        count += 1
        if count == write:
            real(path, content[: len(content) // 2])
            raise OSError(code, os.strerror(code), str(path))
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    return lambda: count


def test_formats_delivered_apart(tmp_path: Path) -> None:
    """Two outputs that write different formats into one folder keep each other's, also in the archive."""
    output(tmp_path).deliver(document())
    output(tmp_path, output_format="pdf").deliver(document(0, "pdf"))
    assert {f"{NAME}/index.html", f"{NAME}.pdf", f"latest-{SLUG}/index.html"} <= tree(tmp_path)
    source = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert f'href="{NAME}/index.html"' in source
    assert f'href="{NAME}.pdf"' in source
    assert "--paper:#fbfaf7" in source


def test_preview_writes_nothing(tmp_path: Path) -> None:
    """A dry run says where the edition would lie."""
    said = output(tmp_path / "site").preview(document())
    assert str(tmp_path / "site" / NAME / "index.html") in said
    assert list(tmp_path.iterdir()) == []


def test_arguments() -> None:
    """The familiar arguments with their defaults; a string is a list of one; unknown formats are refused."""
    assert StaticArgs().output_dir == Path("_build")
    assert StaticArgs.model_validate({"output_format": "md"}).output_format == ("md",)
    assert output(Path("x"), output_format=["png", "pdf"]).formats == {"png", "pdf"}
    for wrong in ({"output_format": "mail"}, {"output_format": []}, {"output_directory": "x"}, {"keep": 0}):
        with pytest.raises(ValidationError):
            StaticArgs.model_validate(wrong)


@pytest.mark.parametrize("content", ["", "[1]", '{"x": 1}', f'{{"{NAME}": {{"title": 7}}}}', "\0"])
def test_broken_notes_are_made_again(tmp_path: Path, content: str) -> None:
    """Whatever became of the notes file, the next delivery lists all editions and writes it anew."""
    output(tmp_path).deliver(document())
    (tmp_path / ".editions.json").write_text(content)
    output(tmp_path).deliver(document(1))
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert len([a for a in page.all("a") if a["href"].endswith("/index.html")]) == 2
    assert "Mon, Nov 11 – Sun, Nov 17, 2024" in page.text
