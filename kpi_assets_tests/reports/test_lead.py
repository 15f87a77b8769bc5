from __future__ import annotations

from kpi_assets.contracts import Change, Stats
from kpi_assets.reports.lead import lead
from kpi_assets_tests.reports.samples import block, stat


def test_finding_and_contrast() -> None:
    """The lead is the key figures' finding and the first figure whose verdict is the opposite of the first one's."""
    figures = Stats(stats=(stat(), stat("Revenue"), stat("Conversion", "worse", value="6.8\u202f%")))
    told = lead([block("k", figures, finding="Sign-ups reached 1,284, up 11.4\u202f%")])
    assert told.finding == "Sign-ups reached 1,284, up 11.4\u202f%."
    assert told.contrast == "Conversion fell to 6.8\u202f%, down 0.4 points."


def test_without_a_finding_the_figure_tells() -> None:
    """A key figure without a finding is told by its own value and change."""
    assert lead([block("k", stat())]).text == "Sign-ups rose to 1,284, up 11.4\u202f%."


def test_no_contrast_without_an_opposite() -> None:
    """Where all figures went the same way there is no second sentence."""
    assert lead([block("a", stat()), block("b", stat("Revenue"))]).contrast == ""


def test_a_change_that_cannot_be_told() -> None:
    """A figure without comparison is told as a value, never as a movement."""
    new = stat(change=Change(text="new", direction="none", verdict="none"))
    assert lead([block("k", new)]).finding == "Sign-ups: 1,284."


def test_other_findings_stand_in() -> None:
    """A report without key figures opens with the first block that found something; placeholders are passed over."""
    blocks = [block("x", status="placeholder", finding="Broken"), block("y", finding="Sign-ups doubled")]
    assert lead(blocks).text == "Sign-ups doubled."


def test_without_key_figures() -> None:
    """The first two findings are the lead; one that two blocks share is said once."""
    blocks = [
        block(name, finding=text)
        for name, text in zip("abcd", ("", "A leads", "A leads", "B fell"), strict=True)
    ]
    assert lead(blocks).text == "A leads. B fell."
    jobs = [block("a", finding="1 job fails"), block("b", finding="2 jobs fail", measure="Nightly builds")]
    assert lead(jobs).text == "1 job fails. Nightly builds: 2 jobs fail."


def test_nothing_to_say() -> None:
    """Without findings there is no lead."""
    assert lead([block("x")]).text == ""


def test_the_users_words_win() -> None:
    """A written lead replaces the computed one; its first sentence is the finding."""
    told = lead([block("k", stat())], "A good week. Mostly\nbecause of 1.5 more days.")
    assert (told.finding, told.contrast) == ("A good week.", "Mostly because of 1.5 more days.")
