"""Digest, subject, plain text, Slack blocks and CSV: what is told of an edition outside its page."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.contracts import Block, Cell, Change, Column, Prose, Stat, Stats, Table, Window
from kpi_assets.reports.data import data_files
from kpi_assets.reports.digest import EXCERPT, Digest, digest
from kpi_assets.reports.headline import SUBJECT, window_words
from kpi_assets.reports.lead import lead
from kpi_assets.reports.mail import render_mail
from kpi_assets.reports.mail_text import render_text
from kpi_assets.reports.plain import markdown_text, wrapped
from kpi_assets.reports.slack import MRKDWN, render_slack, split
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets_tests.outputs.http_peers import block_errors
from kpi_assets_tests.reports.samples import WEEK, block, every_kind, heat_table, meta, rank_table, stat

SIGN_UPS = stat(number=1284.0, qualifier="new accounts")
REVENUE = stat(
    "Revenue",
    number=48210.0,
    value="€48,210",
    change=Change(text="+4.2\u202f%", direction="up", verdict="better"),
)
CONVERSION = stat("Conversion", "worse", number=6.8, value="6.8\u202f%", before="7.2\u202f% the week before")


def told(*blocks: Block, locale: str = "en", **more: object) -> Digest:
    about = meta(**{"page_url": "https://r.example/x", **more})
    return digest(about, blocks, NumberStyle(locale), lead(blocks if about.findings else (), about.lead))


def figures(*stats: Stat, **more: object) -> Block:
    return block(
        "key_figures", Stats(stats=stats), **{"finding": "Sign-ups reached 1,284, up 11.4\u202f%", **more}
    )


# ---------------------------------------------------------------- subject, header, first line


def test_the_subject_is_the_finding() -> None:
    """Main number, change, the contrast of the lead, and the window."""
    found = told(figures(SIGN_UPS, REVENUE, CONVERSION))
    assert found.subject == "Sign-ups 1,284 (+11.4\u202f%), conversion 6.8\u202f% · week of Nov 18"
    assert found.header == "Sign-ups 1,284, up 11.4\u202f%"


def test_the_preheader_adds_and_never_repeats() -> None:
    """What stands beside the subject is the first chart's finding, another figure and what is missing."""
    chart = block("daily", rank_table(), finding="Best week in 90 days")
    failed = block("reply", Prose(markdown="No answer."), status="placeholder")
    found = told(figures(SIGN_UPS, REVENUE, CONVERSION), chart, failed)
    assert found.preheader == "Best week in 90 days. Revenue €48,210. One block could not be made."
    assert "Sign-ups" not in found.preheader


@given(
    label=st.text(max_size=80),
    value=st.text(min_size=1, max_size=40),
    title=st.text(min_size=1, max_size=120),
)
@settings(max_examples=60)
def test_subjects_fit_the_list_of_mails(label: str, value: str, title: str) -> None:
    """Whatever labels and titles say, the subject is one line of at most 64 characters, and never empty."""
    found = told(figures(stat(label, value=value, number=1.0), CONVERSION, finding=""), title=title)
    assert len(found.subject) <= SUBJECT
    assert "\n" not in found.subject
    assert found.subject.strip()


def test_a_report_without_figures_has_its_title() -> None:
    """Where no key figure has a number, or findings are off, subject and header are the report's name."""
    assert told(block("t", rank_table())).subject == "Weekly growth report · week of Nov 18"
    assert told(figures(SIGN_UPS), findings=False).subject == "Weekly growth report · week of Nov 18"
    assert told(figures(stat(value="n/a", number=None))).header == "Sign-ups reached 1,284, up 11.4\u202f%"


@pytest.mark.parametrize(
    ("start", "days", "locale", "words"),
    [
        (date(2024, 11, 18), 7, "en", "week of Nov 18"),
        (date(2024, 11, 18), 7, "de", "18.–24. Nov."),
        (date(2024, 11, 24), 1, "en", "Sun, Nov 24"),
        (date(2024, 2, 1), 29, "en", "Feb 2024"),
        (date(2024, 12, 20), 14, "en", "Dec 20, 2024 – Jan 2, 2025"),
    ],
)
def test_windows_in_a_word(start: date, days: int, locale: str, words: str) -> None:
    """Weeks, days, months and other spans are named as short as they can be."""
    assert window_words(Window(start, start + timedelta(days=days), "UTC"), locale) == words


# ---------------------------------------------------------------- what is chosen


def test_an_excerpt_keeps_the_order_and_names_the_rest() -> None:
    """Two charts, one ranked table, no prose; what is left out is named, in the report's order."""
    found = told(*every_kind())
    assert [chosen.view for chosen in found.evidence] == ["signups", "weekdays", "countries"]
    assert [failed.view for failed in found.failures] == ["reply"]
    assert found.left_out_text() == (
        "On the page: Title of plans, Title of cohorts, Title of revenue, Title of empty, Title of own "
        "and Title of note."
    )


def test_many_left_out_are_counted() -> None:
    """After six names the rest is a number."""
    found = told(*(block(f"t{i}", rank_table(), title=f"T{i}") for i in range(12)))
    assert found.left_out_text() == "On the page: T1, T2, T3, T4, T5, T6 and 5 more."


def test_tables_are_cut_and_say_so() -> None:
    """Five rows with the true total; the row of others, which would be wrong, goes; n/a is explained while shown."""
    note = "Showing 10 of 1,042 rows. n/a: no value. Poland is not measured."
    cut = told(block("t", rank_table(10), note=note)).evidence[0]
    table = cut.elements[0]
    assert isinstance(table, Table)
    assert (len(table.rows), table.footer) == (EXCERPT.rows, ())
    assert cut.note == "Showing 5 of 1,042 rows. n/a: no value. Poland is not measured."
    short = told(block("t", heat_table(), note=note)).evidence[0]
    assert short.note == note


def test_a_mail_does_not_explain_what_it_does_not_show() -> None:
    """Where n/a stands only in columns that mails leave out, neither text nor HTML has a word on it."""
    note = "Showing 10 of 42 rows. n/a: no value. Poland is not measured."
    cut = told(block("t", rank_table(10), note=note))
    text, html = render_text(cut), render_mail(cut, Theme()).files[0].content.decode()
    for mail in (text, html):
        assert "Showing 5 of 42 rows. Poland is not measured." in mail
        assert "n/a" not in mail


def test_figures_beyond_the_eighth_are_named() -> None:
    """An excerpt has eight key figures."""
    found = told(figures(*(stat(f"F{i}", number=1.0) for i in range(10))))
    assert len(found.stats) == 8
    assert found.left_out == ("F8", "F9")


def test_what_changes_compare_with() -> None:
    """The days before are named where a figure compares with them, and only there."""
    assert told(figures(SIGN_UPS)).compared == "Changes compare with Nov 11–17."
    assert told(figures(stat(before="1,153 a year ago"))).compared == ""


# ---------------------------------------------------------------- text


def test_the_whole_text() -> None:
    """The plain text of a small edition, word for word."""
    failed = block(
        "reply", Prose(markdown="The source did not answer.\n\nIt was **3 h** before."), status="placeholder"
    )
    found = told(
        figures(SIGN_UPS, CONVERSION), block("countries", rank_table(2), title="Land 0 leads"), failed
    )
    assert render_text(found) == TEXT


TEXT = """\
WEEKLY GROWTH REPORT, week 47 of 2024
Mon, Nov 18 - Sun, Nov 24, 2024, Europe/Berlin (UTC+1)

Sign-ups reached 1,284, up 11.4 %.
Conversion fell to 6.8 %, down 0.4 points.

Sign-ups    1,284   +11.4 % better, 1,153 the week before
Conversion  6.8 %   -0.4 points worse, 7.2 % the week before

LAND 0 LEADS
  Country   Sign-ups
  Land | 0       100
  Land | 1        99
  Others          12

COULD NOT BE MADE: Title of reply
  The source did not answer.
  It was 3 h before.

Full report: https://r.example/x

Data as of Mon, Nov 25, 2024, 06:00 (UTC+1).
Changes compare with Nov 11-17.
You get this mail because you are on the list of this report.
"""


def test_findings_without_their_measure_are_told_apart() -> None:
    """Where the finding does not name what is measured, the text does; else it is not said twice."""
    found = told(
        block(
            "a", rank_table(1), title="No job is failing", measure="Services", subtitle="Services, Nov 18-24"
        ),
        block("b", rank_table(1), title="Builds got slower", measure="Builds", subtitle="Builds, Nov 18-24"),
    )
    text = render_text(found)
    assert "NO JOB IS FAILING\n  Services, Nov 18-24\n  " in text
    assert "Builds, Nov 18-24" not in text


def test_markdown_as_text() -> None:
    """Headings, lists in lists, numbers, code, links and tables keep their words; marks are those of the medium."""
    source = "# Head\n\nA *b* **c** `d` [e](https://e.example) <i>\n\n- x\n  1. y\n  2. z\n- w\n\n"
    source += "```\ncode & more\n```\n\nend"
    assert markdown_text(source) == (
        "Head\n\nA b c d e (https://e.example) <i>\n\n- x\n  1. y\n  2. z\n- w\n\ncode & more\n\nend"
    )
    assert markdown_text("A *b* **c** `d` [e](https://e.example?a&b) <i>", MRKDWN) == (
        "A _b_ *c* `d` <https://e.example?a&amp;b|e> &lt;i&gt;"
    )
    assert markdown_text("[x](javascript:alert)") == "[x](javascript:alert)"


def test_numbers_stay_with_their_units() -> None:
    """Lines break at blanks, never inside a number and its unit."""
    text = wrapped("x " * 35 + "48\u00a0% of all")
    assert "48\u00a0%" in text
    assert max(map(len, text.splitlines())) <= 76


# ---------------------------------------------------------------- Slack


def test_slack_messages_keep_the_reference() -> None:
    """Every message, excerpt or whole, passes the rules of Slack's reference; the excerpt has at most ten blocks."""
    for link in ("https://r.example/x?a=1&b=<2>|3", ""):
        found = told(figures(SIGN_UPS, REVENUE, CONVERSION), *every_kind(), page_url=link)
        messages = json.loads(render_slack(found)[0].content)["messages"]
        for message in messages:
            blocks = [
                {**b, "image_url": f"https://x.example/{b['image_url']}"} if b["type"] == "image" else b
                for b in message["blocks"]
            ]
            assert list(block_errors(blocks, {})) == []
            assert message["text"]
            assert (message["unfurl_links"], message["unfurl_media"]) == (False, False)
        assert len(messages[0]["blocks"]) <= 10


def test_the_excerpt_reads_as_the_target() -> None:
    """Header, context, finding, figures, charts, what failed, link and date come in this order."""
    found = told(figures(SIGN_UPS, CONVERSION), *every_kind()[1:])
    blocks = json.loads(render_slack(found)[0].content)["messages"][0]["blocks"]
    kinds = ["header", "context", "section", "section", "image", "image", "context", "section", "context"]
    assert [b["type"] for b in blocks] == kinds
    assert (
        blocks[3]["fields"][1]["text"]
        == "*Conversion*\n*6.8\u00a0%*  ▼ −0.4 points worse\n7.2\u00a0% the week before"
    )
    assert blocks[6]["elements"][0]["text"].startswith(
        "Could not be made: *Title of reply*. `helpdesk` did not answer."
    )
    assert blocks[7]["text"]["text"] == "<https://r.example/x|Open the full report>"


def test_tables_are_text_in_fixed_width() -> None:
    """A table is a fenced text with its columns in line, its footer last."""
    found = told(block("t", rank_table(2)), page_url="")
    texts = [
        b["text"]["text"]
        for b in json.loads(render_slack(found)[0].content)["messages"][1]["blocks"]
        if "text" in b
    ]
    assert (
        texts[1] == "```\nCountry   Sign-ups\nLand | 0       100\nLand | 1        99\nOthers          12\n```"
    )


@given(sizes=st.lists(st.integers(1, 2900), max_size=120))
@settings(max_examples=40)
def test_splitting_loses_nothing(sizes: list[int]) -> None:
    """Blocks stay in order, and each message holds at most 50 blocks and 12,000 characters."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * size}} for size in sizes]
    messages = split(blocks)
    assert [b for message in messages for b in message] == blocks
    assert all(len(message) <= 50 and len(json.dumps(message)) <= 12_002 for message in messages)


# ---------------------------------------------------------------- CSV


def test_every_table_is_a_file() -> None:
    """Key figures, tables and the numbers behind charts are CSV that Excel opens as UTF-8; placeholders are none."""
    files = {file.path: file for file in data_files(every_kind())}
    assert list(files) == [
        "data/key-figures.csv",
        "data/signups.csv",
        "data/cohorts.csv",
        "data/countries.csv",
    ]
    assert files["data/key-figures.csv"].content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(files["data/key-figures.csv"].content.decode("utf-8-sig"))))
    assert rows[0] == ["Figure", "Qualifier", "Value", "Change", "Verdict", "Before", "Target"]
    assert rows[2] == ["Conversion", "", "6.8 %", "-0.4 points", "worse", "1,153 the week before", ""]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+2", "'=1+2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd", "'+cmd"),
        ("-x", "'-x"),
        ("−2.0\u202f%", "-2.0 %"),
        ("+4", "+4"),
    ],
)
def test_cells_are_no_formulas(text: str, written: str) -> None:
    """What a spreadsheet would run is text; signed numbers stay numbers."""
    table = Table(caption="", columns=(Column(label="a"),), rows=((Cell(text=text),),))
    content = next(data_files((block("t", table),))).content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content)))[1] == [written]


def test_two_tables_of_a_block_are_two_files() -> None:
    """Names are unique."""
    files = list(data_files((block("t", rank_table(), rank_table(1)), block("t-2", rank_table()))))
    assert [file.path for file in files] == ["data/t.csv", "data/t-2.csv", "data/t-2-2.csv"]


def test_the_samples_window_is_a_week() -> None:
    """The sample edition is the week that the texts here name."""
    assert WEEK.key == "2024-11-24"
