from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from kpi_assets.contracts import Block, Stats
from kpi_assets.reports.compose import compose
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets.views.plot import PlotView
from kpi_assets_tests.reports.pages import Page
from kpi_assets_tests.reports.samples import block, meta, picture, stat
from kpi_assets_tests.views.worlds import context

BLOCKS = (
    block("figures", Stats(stats=(stat(),))),
    block("a", picture()),
    block("b", picture(("wide", 680), spec='{"mark":"bar"}'), cols=4),
    block("c", picture(spec="")),
)


def html(*blocks: object, interactive: bool = True) -> str:
    return (
        compose(meta(interactive=interactive), blocks or BLOCKS, {"html"}, Theme(), NumberStyle())  # type: ignore[arg-type]
        .file("index.html")
        .content.decode()
    )


@pytest.fixture(scope="module")
def source() -> str:
    return html()


def test_the_runtime_comes_once(source: str) -> None:
    """However many charts, the page carries one runtime, one list of specs and one starter."""
    page = Page(source)
    assert page.problems == []
    assert len(page.all("script")) == 3
    assert source.count("window.vegaEmbed=") == 1


def test_each_chart_finds_its_spec(source: str) -> None:
    """Charts with a spec carry its number; sparklines and charts without one stay pictures."""
    specs = json.loads(
        re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', source, re.DOTALL)[0]
    )
    numbers = [tag["data-chart"] for tag in Page(source).all("div") if "data-chart" in tag]
    assert numbers == ["0", "1"]
    assert specs[1] == {"mark": "bar"}
    assert specs[0]["data"]["values"][0]["s"] == "</script>"


def test_the_pictures_stay(source: str) -> None:
    """What is there without script is the same page."""
    with_script = re.sub(
        r' data-chart="\d+"', "", re.sub(r"<script.*?</script>\n?", "", source, flags=re.DOTALL)
    )
    assert with_script == html(interactive=False)


def test_no_runtime_for_nothing() -> None:
    """A page without charts carries no script."""
    assert "<script" not in html(block("figures", stat()))


def line(frame: pd.DataFrame, **args: object) -> Block:
    view = PlotView(PlotView.Args.model_validate({"datasource": "db", "query": "select 1", **args}))
    return view.render({"query": frame}, context("Orders"))


@pytest.mark.browser
def test_live_axes_are_those_of_the_drawing_until_they_are_zoomed(tmp_path: Path) -> None:
    """Days and names of a live chart are the drawing's; zoomed, a time axis makes its own, and names stay."""
    from playwright.sync_api import sync_playwright

    days = pd.DataFrame({"time": pd.date_range("2024-11-18", periods=7), "n": range(7)})
    steps = pd.DataFrame({"step": ["Visit", "Cart", "Order"], "n": [9, 5, 1]})
    path = tmp_path / "page.html"
    path.write_text(html(line(days), line(steps, time_column="step")), encoding="utf-8")
    labels = "all => all.map(box => [...box.querySelectorAll('.live .role-axis-label text')].map(t => t.textContent))"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900}, timezone_id="America/New_York")
        page.goto(path.as_uri())
        page.wait_for_function("document.querySelectorAll('.has-live').length === 2")
        first, second = page.eval_on_selector_all(".has-live", labels)
        assert first[0].startswith("Mon")
        assert second[:3] == ["Visit", "Cart", "Order"]
        chart = page.locator(".has-live .live svg").first.bounding_box()
        assert chart is not None
        page.mouse.move(chart["x"] + chart["width"] / 2, chart["y"] + chart["height"] / 2)
        page.keyboard.down("Shift")
        page.mouse.wheel(0, -600)
        page.wait_for_function(
            f"!({labels})([...document.querySelectorAll('.has-live')])[0].includes({first[0]!r})"
        )
        browser.close()


@pytest.mark.browser
def test_live_in_a_browser(source: str, tmp_path: Path) -> None:
    """From file:// the live chart takes the drawing's place, and without script the drawing is there."""
    from playwright.sync_api import sync_playwright

    path = tmp_path / "page.html"
    path.write_text(source, encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(path.as_uri())
        page.wait_for_selector("#a .has-live .live svg")
        assert not page.is_visible("#a svg.at-wide")
        still = browser.new_context(java_script_enabled=False).new_page()
        still.set_viewport_size({"width": 1280, "height": 900})
        still.goto(path.as_uri())
        assert still.is_visible("#a svg.at-wide")
        browser.close()
