"""axe-core looks at what readers open, in Chromium: no serious fault in the demo's page, mail and archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from kpi_assets import demo, pipeline
from kpi_assets.config import load_report
from kpi_assets.delivery import deliver_outputs
from kpi_assets.plan import build_plan
from kpi_assets.reports.compose import compose
from kpi_assets.session import open_session
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets_tests.reports.pages import Page
from kpi_assets_tests.reports.samples import every_kind, meta

pytestmark = pytest.mark.browser

Scheme = Literal["light", "dark"]
VIEWPORTS: list[tuple[int, Scheme]] = [(1280, "light"), (390, "light"), (1280, "dark")]
CHROMIUM = {
    "executable_path": "/usr/bin/chromium",
    "args": ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
}
FILES = {
    "page": "pages/2024-11-18_2024-11-25_weekly-growth-report/index.html",
    "archive": "pages/index.html",
    "mail": "mail.html",
    "every kind of block": "samples/index.html",
    "mail with every kind of block": "samples/mail.html",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's week published, its mail, and a report of hand-made blocks."""
    folder = tmp_path_factory.mktemp("demo")
    environ = demo.prepare(folder) | demo.mail_variables("board@example.com", "127.0.0.1:9")
    environ[demo.OUTPUT_VARIABLE] = str(folder / "pages")
    plan = build_plan(load_report([demo.REPORT, demo.MAIL]), environ)
    with open_session(plan, folder / "home", environ) as session:
        windows = [plan.window("2024-11-24")]
        list(pipeline.fetch_queries(session, windows))
        list(pipeline.render_views(session, windows))
        (document,) = pipeline.compose_documents(session, windows)
        publishers = [output.id for output in plan.outputs if output.effect == "publish"]
        list(deliver_outputs(session, windows, publishers))
    samples = compose(meta(), every_kind(), {"html", "mail"}, Theme(), NumberStyle())
    for where, files in ((folder, document.files), (folder / "samples", samples.files)):
        for file in files:
            path = where / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


@pytest.mark.parametrize(("width", "scheme"), VIEWPORTS)
@pytest.mark.parametrize("what", FILES)
def test_no_serious_fault(made: Path, chromium: Any, what: str, width: int, scheme: Scheme) -> None:
    """axe-core finds nothing serious or critical, on a wide screen, on a phone and in dark colours."""
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto((made / FILES[what]).as_uri())
    found = faults(page)
    page.close()
    assert found == []


def faults(page: Any) -> list[str]:
    """The serious and critical findings of axe-core, each with its element."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        f"{fault['id']} ({fault['impact']}): {node['target']} {node['failureSummary']}"
        for fault in Axe().run(page).response["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def test_faults_are_found(chromium: Any) -> None:
    """A picture without words, and grey on grey, are told: the test above can fail."""
    page = chromium.new_page()
    page.set_content(
        '<html lang="en"><title>x</title><img src="x.png"><p style="color:#aaa;background:#bbb">grey</p>'
    )
    found = " ".join(faults(page))
    page.close()
    assert "image-alt" in found
    assert "color-contrast" in found


@pytest.mark.parametrize("what", ["page", "mail"])
def test_pictures_say_what_they_show(made: Path, what: str) -> None:
    """Every chart has words of its own, with a number in them; no picture of the logo or a chart is without any."""
    page = Page((made / FILES[what]).read_text(encoding="utf-8"))
    charts = [
        attributes.get("aria-label", "") or attributes.get("alt", "")
        for tag, attributes in page.elements
        if (tag == "svg" and attributes.get("role") == "img") or tag == "img"
    ]
    assert len(charts) > 2
    assert [words for words in charts if len(words) < 12 or not any(sign.isdigit() for sign in words)] == []
