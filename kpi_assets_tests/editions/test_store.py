"""The edition store: exact round trips, whole documents whoever writes and whoever dies."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from kpi_assets.contracts import (
    Block,
    Cell,
    Change,
    Column,
    Document,
    Drawing,
    Element,
    File,
    Panel,
    Panels,
    Picture,
    Prose,
    QueryNote,
    Raw,
    Stat,
    Stats,
    Table,
    Target,
    Window,
)
from kpi_assets.editions import EditionMissingError, EditionStore
from kpi_assets.editions import store as editions_store
from kpi_assets.errors import DataError, InputError
from kpi_assets.files import write_whole

WEEK = Window(date(2024, 11, 18), date(2024, 11, 25), "Europe/Berlin")
ID = ("weekly", "2024-11-24")

PICTURE = Picture(
    name="chart",
    alt="Sign-ups rose from 31 to 44",
    drawings=(Drawing(width_class="wide", width=10, height=5, svg="<svg>–</svg>"),),
    spec='{"mark":"line"}',
    png=b"\x89PNG\r\n\xff\x00",
    png_width=10,
    link_url="https://example.org/?a=1&b=2",
)
STAT = Stat(
    label="Churn",
    value="4.2 %",
    number=0.042,
    change=Change(text="−0.4 points", direction="down", verdict="better"),
    target=Target(share=1.2, text="goal reached"),
    sparkline=PICTURE,
)
TABLE = Table(
    caption="Plans",
    columns=(Column(label="Plan", header=True), Column(label="n", align="right")),
    rows=((Cell(text="pro"), Cell(text="1,153", bar=0.5, heat=3)), (Cell(text="–", missing=True),)),
    rule_before=(1,),
)
ELEMENTS: tuple[Element, ...] = (
    PICTURE,
    Panels(panels=(Panel(name="a", note="b", series=1, picture=PICTURE),)),
    STAT,
    Stats(stats=(STAT, STAT)),
    TABLE,
    Prose(markdown="*hi* \U0001f600 \u202eabc"),
    Raw(html="<b>&amp;</b>", markdown="**&**", slack="*&*"),
)
BLOCK = Block(
    view="signups", plugin="plot", title="Sign-ups <rose>", elements=ELEMENTS, numbers=TABLE, rows=7
)
NOTE = QueryNote("signups", "shop", "select 'ü'", "sql", 7, 0.25, datetime(2024, 11, 25, 6, tzinfo=UTC))


def document(text: str = "<p>one</p>", *more: File) -> Document:
    return Document(
        report="weekly",
        title="Weekly",
        slug="weekly",
        edition="2024-11-24",
        window=WEEK,
        lead="Sign-ups rose.",
        blocks=(BLOCK,),
        queries=(
            NOTE,
            replace(NOTE, id="orders", fetched_at=None, error="the source could not answer the query"),
        ),
        files=(File("index.html", "text/html", text.encode()), *more),
    )


CHART = File("img/chart.png", "image/png", b"\x89PNG\x00")


@pytest.fixture
def store(tmp_path: Path) -> EditionStore:
    return EditionStore(tmp_path)


def files_of(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


def contents(place: Path) -> dict[str, bytes]:
    return {name: (place / name).read_bytes() for name in files_of(place)}


def manifest(store: EditionStore) -> Any:
    return json.loads((store.folder(*ID) / "manifest.json").read_text())


# ---------------------------------------------------------------- round trips


def test_a_block_comes_back(store: EditionStore) -> None:
    """Every kind of element, bytes and signs included, is read back equal."""
    store.save_block(*ID, BLOCK)
    assert store.load_block(*ID, "signups") == BLOCK
    assert store.find_block(*ID, "signups") == BLOCK


def test_numbers_that_are_not_numbers_do_not_break_a_block(store: EditionStore) -> None:
    """A figure that is infinite or not a number is read back as it was written."""
    stat = STAT.model_copy(update={"number": float("-inf"), "target": Target(share=float("inf"), text="")})
    block = BLOCK.model_copy(update={"elements": (stat,)})
    store.save_block(*ID, block)
    assert store.load_block(*ID, "signups") == block


def test_a_document_comes_back(store: EditionStore) -> None:
    """Title, window, blocks, notes and all files are read back equal."""
    store.save_document(*ID, document("<p>ü</p>", CHART))
    assert store.load_document(*ID) == document("<p>ü</p>", CHART)


def test_notes_come_back_by_query(store: EditionStore) -> None:
    """The notes of an edition are read in order of their queries, the newest of each."""
    store.save_note(*ID, NOTE)
    store.save_note(*ID, replace(NOTE, id="orders", error="away"))
    store.save_note(*ID, replace(NOTE, rows=8))
    assert store.load_notes(*ID) == (replace(NOTE, id="orders", error="away"), replace(NOTE, rows=8))
    assert store.load_notes("weekly", "2024-11-25") == ()


def test_the_document_keeps_its_own_blocks(store: EditionStore) -> None:
    """A view rendered again does not change a document that was composed before."""
    store.save_block(*ID, BLOCK)
    store.save_document(*ID, document())
    store.save_block(*ID, BLOCK.model_copy(update={"title": "later"}))
    assert store.load_document(*ID).blocks == (BLOCK,)


# ---------------------------------------------------------------- layout


def test_layout(store: EditionStore, tmp_path: Path) -> None:
    """An edition's folder holds what the module's docstring draws, and a lock."""
    store.save_block(*ID, BLOCK)
    store.save_note(*ID, NOTE)
    store.save_document(*ID, document("x", CHART))
    assert files_of(tmp_path) == [
        "editions/weekly/2024-11-24/.lock",
        "editions/weekly/2024-11-24/blocks/signups.json",
        "editions/weekly/2024-11-24/document.json",
        "editions/weekly/2024-11-24/document/img/chart.png",
        "editions/weekly/2024-11-24/document/index.html",
        "editions/weekly/2024-11-24/manifest.json",
        "editions/weekly/2024-11-24/queries/signups.json",
    ]


def test_manifest(store: EditionStore) -> None:
    """The manifest is the golden one: window, fingerprints and hashes, sorted, without a clock."""
    store.save_document(*ID, document("x", CHART), {"queries/signups": "f00d", "views/signups": "beef"})
    golden = Path(__file__).parent.parent / "golden" / "edition.manifest.json"
    found = manifest(store)
    assert found.pop("blocks") == {"signups": sha256(store.save_block(*ID, BLOCK).read_bytes()).hexdigest()}
    assert found == json.loads(golden.read_text())


def test_the_same_edition_is_the_same_bytes(tmp_path: Path) -> None:
    """Two stores that were given the same hold the same bytes in every file."""
    stores = [EditionStore(tmp_path / name) for name in "ab"]
    for store in stores:
        store.save_block(*ID, BLOCK)
        store.save_document(*ID, document("x", CHART))
    left, right = (store.folder(*ID) for store in stores)
    assert contents(left) == contents(right)


def test_nothing_stale_is_left(store: EditionStore) -> None:
    """Files that a new document does not have are gone."""
    store.save_document(*ID, document("x", CHART, File("report.pdf", "application/pdf", b"%PDF")))
    folder = store.save_document(*ID, document("y"))
    assert files_of(folder) == ["index.html"]
    assert (folder / "index.html").read_text() == "y"


def test_listing(store: EditionStore) -> None:
    """Reports and editions are listed in order; an edition without a document is not."""
    for edition in ("2024-11-24", "2024-11-17", "2024-11-24_8d"):
        store.save_document("weekly", edition, document())
    store.save_block("weekly", "2024-12-01", BLOCK)
    assert store.reports() == ["weekly"]
    assert store.editions("weekly") == ["2024-11-17", "2024-11-24", "2024-11-24_8d"]
    assert store.editions("monthly") == []


# ---------------------------------------------------------------- trouble


def test_what_is_missing_is_named(store: EditionStore) -> None:
    """The error names the view, the edition and the asset to materialize."""
    with pytest.raises(EditionMissingError) as caught:
        store.load_block(*ID, "signups")
    assert str(caught.value) == (
        "views/signups of edition 2024-11-24 of report 'weekly' is not there: "
        "materialize it first (asset weekly/views/signups)"
    )
    with pytest.raises(DataError, match="document of edition 2024-11-24"):
        store.load_document(*ID)
    assert store.find_block(*ID, "signups") is None
    assert not store.root.exists()


def test_a_damaged_block_is_missing(store: EditionStore) -> None:
    """A truncated block is not shown."""
    path = store.save_block(*ID, BLOCK)
    path.write_bytes(path.read_bytes()[:-9])
    assert store.find_block(*ID, "signups") is None
    with pytest.raises(EditionMissingError, match="is damaged"):
        store.load_block(*ID, "signups")


@pytest.mark.parametrize("name", ["document/index.html", "document.json"])
def test_a_document_that_was_tampered_with_is_not_delivered(store: EditionStore, name: str) -> None:
    """A file that does not have its hash, or a record that cannot be read, makes the document damaged."""
    store.save_document(*ID, document())
    (store.folder(*ID) / name).write_text("{}")
    with pytest.raises(EditionMissingError, match="is damaged"):
        store.load_document(*ID)
    store.save_document(*ID, document())
    assert store.load_document(*ID) == document()


def test_a_note_that_cannot_be_read_is_left_out(store: EditionStore) -> None:
    """One broken note does not hide the others."""
    store.save_note(*ID, NOTE)
    (store.folder(*ID) / "queries" / "broken.json").write_text("{")
    assert store.load_notes(*ID) == (NOTE,)


@pytest.mark.parametrize("path", ["../index.html", "/etc/passwd", "a/../b", "", "a//b", "a\\b", "./a", "a\0"])
def test_a_documents_files_stay_in_its_folder(store: EditionStore, path: str) -> None:
    """A file path that could lead outside is refused and the old document stays."""
    store.save_document(*ID, document())
    with pytest.raises(DataError, match="relative path"):
        store.save_document(*ID, document("x", File(path, "text/plain", b"")))
    assert store.load_document(*ID) == document()


@pytest.mark.parametrize(
    "ids", [("../etc", "e", "v"), ("r", "../../e", "v"), ("r", "e", "../v"), ("r", "e", "a/b")]
)
def test_ids_cannot_leave_the_store(store: EditionStore, ids: tuple[str, str, str]) -> None:
    """An id that is more than one plain level of a path is refused."""
    with pytest.raises(InputError, match="cannot name a folder"):
        store.load_block(*ids)


def test_a_store_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    """The message names the folder and the setting that moves it."""
    (tmp_path / "editions").write_text("a file, not a folder")
    store = EditionStore(tmp_path)
    for save in (lambda: store.save_block(*ID, BLOCK), lambda: store.save_document(*ID, document())):
        with pytest.raises(InputError, match=r"editions.*KPI_ASSETS_HOME"):
            save()


def test_a_full_disk_leaves_the_old_document(store: EditionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a file cannot be written, the document before stays whole and the reason is told."""
    store.save_document(*ID, document())

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="No space left"):
        store.save_document(*ID, document("new", CHART))
    monkeypatch.undo()
    assert store.load_document(*ID) == document()


# ---------------------------------------------------------------- crashes


class Death(BaseException):
    """The process ends here."""


STEPS = ["first rename", "second rename", "record", "manifest", "cleaning"]


def die_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the swap's n-th change to the disk be its last."""
    left = [step]
    rename, remove = Path.rename, shutil.rmtree

    def counted(change: Any) -> Any:
        def changed(*args: Any, **kwargs: Any) -> Any:
            if left[0] == 0:
                raise Death
            left[0] -= 1
            return change(*args, **kwargs)

        return changed

    def remove_old(path: Path, **options: Any) -> None:
        (counted(remove) if ".old" in path.name else remove)(path, **options)

    monkeypatch.setattr(Path, "rename", counted(rename))
    monkeypatch.setattr(editions_store, "write_whole", counted(write_whole))
    monkeypatch.setattr(shutil, "rmtree", remove_old)


@pytest.mark.parametrize("step", range(5), ids=STEPS)
@pytest.mark.parametrize("then", ["load", "save"])
def test_a_death_in_the_middle_leaves_one_whole_document(
    store: EditionStore, step: int, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the process dies, the old document or the new one is there, and the next save leaves nothing behind."""
    old, new = document("old", CHART), document("new", File("report.pdf", "application/pdf", b"%PDF"))
    store.save_document(*ID, old)
    die_at(step, monkeypatch)
    with pytest.raises(Death):
        store.save_document(*ID, new)
    monkeypatch.undo()
    if then == "load":
        left = store.load_document(*ID)
        assert left == (new if step > 2 else old)
        assert manifest(store)["content_hash"] == left.content_hash
    store.save_document(*ID, new)
    assert store.load_document(*ID) == new
    assert files_of(store.folder(*ID)) == [
        ".lock",
        "document.json",
        "document/index.html",
        "document/report.pdf",
        "manifest.json",
    ]


# ---------------------------------------------------------------- many writers


def save_many(home: str, name: str, times: int) -> None:
    store = EditionStore(home)
    for turn in range(times):
        extra = [File(f"{name}-{i}.txt", "text/plain", name.encode() * 1000) for i in range(10)]
        store.save_document(*ID, document(f"{name} {turn}", *extra))


def assert_from_one_writer(found: Document) -> None:
    name = found.file("index.html").content.decode().split()[0]
    assert {file.path for file in found.files} == {"index.html", *(f"{name}-{i}.txt" for i in range(10))}


def test_two_processes_leave_one_whole_document(store: EditionStore, tmp_path: Path) -> None:
    """Two processes that write one edition at once, and a reader beside them, never mix documents."""
    context = multiprocessing.get_context("spawn")
    save_many(str(tmp_path), "first", 1)
    writers = [context.Process(target=save_many, args=(str(tmp_path), name, 20)) for name in ("one", "two")]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert_from_one_writer(store.load_document(*ID))
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert_from_one_writer(store.load_document(*ID))
    assert len(files_of(store.document_folder(*ID))) == 11
    assert not [path for path in store.folder(*ID).iterdir() if path.name.endswith(".tmp")]


def test_threads_take_turns(store: EditionStore, tmp_path: Path) -> None:
    """The same holds for threads of one process."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: save_many(str(tmp_path), name, 5), "abcd"))
    assert_from_one_writer(store.load_document(*ID))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_edition_can_be_read(store: EditionStore) -> None:
    """Where nothing may be written, reading needs no lock."""
    store.save_document(*ID, document())
    (store.folder(*ID) / ".lock").unlink()
    store.folder(*ID).chmod(0o555)
    try:
        assert store.load_document(*ID) == document()
    finally:
        store.folder(*ID).chmod(0o755)
