"""Small blocks made by hand: one of each kind, with words that break what does not escape."""

from __future__ import annotations

from datetime import UTC, date, datetime

from kpi_assets.contracts import (
    Block,
    Cell,
    Change,
    Column,
    Drawing,
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
from kpi_assets.reports.meta import DocumentMeta
from kpi_assets.reports.slug import slugify

WEEK = Window(date(2024, 11, 18), date(2024, 11, 25), "Europe/Berlin")
HOSTILE = """<script>alert('1')</script> "quoted" & 'single' {{ 7*7 }} שלום 🎉 </style>"""
SPEC = (
    '{"mark":"line","data":{"values":[{"x":1,"y":2,"s":"</script>"}]},'
    '"encoding":{"x":{"field":"x","type":"quantitative"}}}'
)


def svg(width: int, height: int = 100) -> str:
    """A drawing as vl_convert makes them: name spaces, ids, fonts, classes."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" '
        f'class="marks" width="{width}" height="{height}" viewBox="0 0 {width} {height}"><defs><clipPath id="clip0">'
        f'<rect width="{width}" height="{height}"/></clipPath></defs><g clip-path="url(#clip0)" role="graphics-object" '
        f'aria-label="a"><path class="mark" d="M0,0L{width},{height}.123456" stroke="#2b62d9" fill="none"/>'
        f'<text font-family="Inter, sans-serif" font-size="12px" fill="#17181c">a &lt; b</text></g></svg>'
    )


def picture(*classes: tuple[str, int], name: str = "plot", solid: bool = False, spec: str = SPEC) -> Picture:
    drawings = classes or (("wide", 1032), ("mid", 652), ("phone", 358))
    return Picture(
        name=name,
        alt='Sign-ups rose from 31 to 44 a "day"',
        drawings=tuple(
            Drawing(width_class=kind, width=width, height=100, svg=svg(width))  # type: ignore[arg-type]
            for kind, width in drawings
        ),
        solid=solid,
        spec=spec,
    )


def stat(label: str = "Sign-ups", verdict: str = "better", **more: object) -> Stat:
    direction = "up" if verdict == "better" else "down"
    text = "+11.4\u202f%" if direction == "up" else "−0.4 points"
    values: dict[str, object] = {
        "label": label,
        "value": "1,284",
        "change": Change(text=text, direction=direction, verdict=verdict),  # type: ignore[arg-type]
        "before": "1,153 the week before",
        "sparkline": picture(("wide", 216), name=f"spark-{label}"),
    }
    return Stat(**(values | more))  # type: ignore[arg-type]


def block(view: str, *elements: object, cols: int = 6, **more: object) -> Block:
    values: dict[str, object] = {
        "plugin": "plot",
        "title": f"Title of {view}",
        "cols": cols,
        "elements": elements,
    }
    return Block(view=view, **(values | more))  # type: ignore[arg-type]


def rank_table(rows: int = 3) -> Table:
    return Table(
        caption="Countries",
        columns=(
            Column(label="Country", header=True),
            Column(label="Sign-ups", align="right"),
            Column(label="Share", align="right", low=True),
        ),
        rows=tuple(
            (
                Cell(text=f"Land | {i}"),
                Cell(text=str(100 - i), bar=(100 - i) / 100, emphasis=i == 1),
                Cell(text="n/a", missing=True) if i == 2 else Cell(text="5.1\u202f%", verdict="better"),
            )
            for i in range(rows)
        ),
        footer=((Cell(text="Others"), Cell(text="12"), Cell(text="1.0\u202f%")),),
        rule_before=(1,),
    )


def heat_table() -> Table:
    return Table(
        style="heat",
        caption="Cohorts",
        columns=(
            Column(label="Signed up", header=True, width=68),
            Column(label="Size", align="right"),
            Column(label="1", align="right"),
        ),
        rows=(
            (Cell(text="Sep 16"), Cell(text="983"), Cell(text="41", heat=4)),
            (Cell(text="Sep 23"), Cell(text="9"), Cell(text="")),
        ),
    )


def every_kind() -> tuple[Block, ...]:
    """A page that has everything."""
    numbers = Table(
        style="numbers",
        caption="Sign-ups by week",
        columns=(Column(label="Week", header=True), Column(label="Sign-ups", align="right")),
        rows=((Cell(text="Nov 18"), Cell(text="1,284")),),
    )
    panel = Panel(name="Team", note="19 to 34 a week", series=0, picture=picture(("wide", 152), name="team"))
    other = Panel(name="Büro", note="6 to 9 a week", series=7, picture=picture(("wide", 152), name="Büro"))
    return (
        block(
            "key_figures",
            Stats(
                stats=(
                    stat(target=Target(share=0.96, text="96\u202f% of the target")),
                    stat("Conversion", "worse", value="6.8\u202f%"),
                )
            ),
            finding="Sign-ups reached 1,284, up 11.4\u202f%",
            title="",
            note="Grey lines: the last 13 weeks.",
        ),
        block(
            "signups",
            picture(),
            numbers=numbers,
            subtitle="New accounts per day.",
            description="Counted at noon.",
        ),
        block("weekdays", picture(("wide", 328), ("mid", 652), ("phone", 358)), cols=2),
        block("plans", Panels(panels=(panel, other)), cols=4),
        block("cohorts", heat_table(), cols=3),
        block("countries", rank_table(), cols=3, note="Showing 3 of 42 rows."),
        block("revenue", picture(("wide", 680), ("phone", 358), solid=True), cols=4),
        block(
            "reply",
            Prose(markdown="`helpdesk` did not answer. The last value was **3 h 12 min**."),
            cols=2,
            status="placeholder",
        ),
        block("empty", cols=3, status="empty"),
        block("own", Raw(html="<b>own</b>", markdown="**own**"), cols=3),
        block(
            "note", Prose(markdown="# Note\n\nText with *stress* and <b>tags</b>.\n\n- one\n- two", columns=2)
        ),
    )


def meta(**more: object) -> DocumentMeta:
    title = str(more.pop("title", "Weekly growth report"))
    queries = (
        QueryNote(
            "signups", "shop", "select 1 < 2", "sql", 1284, 0.041, datetime(2024, 11, 25, 5, 0, tzinfo=UTC)
        ),
        QueryNote("replies", "helpdesk", "select 2", "sql", 0, 30.0, None, "did not answer within 30 s"),
    )
    values: dict[str, object] = {
        "report": "weekly",
        "title": title,
        "slug": slugify(title),
        "edition": WEEK.key,
        "window": WEEK,
        "queries": queries,
        "version": "1.0",
    }
    return DocumentMeta(**(values | more))  # type: ignore[arg-type]
