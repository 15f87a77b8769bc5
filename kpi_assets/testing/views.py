"""The suite for authors of views. Needs pytest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import pytest

from kpi_assets.contracts import Block, Format, Need, RenderContext, View
from kpi_assets.errors import KpiAssetsError
from kpi_assets.testing.blocks import assert_honest_block
from kpi_assets.testing.plugins import PluginSuite
from kpi_assets.testing.samples import sample_context, sample_document
from kpi_assets.testing.verdict import insist
from kpi_assets.testing.watching import OUTSIDE, watched

if TYPE_CHECKING:
    import pandas as pd

WRITTEN: tuple[Format, ...] = tuple(kind for kind in get_args(Format) if kind not in ("pdf", "png"))
"""The formats that need no extra."""


class ViewSuite(PluginSuite):
    """What every view must keep. Subclass it as `Test...`, say `plugin`, override the fixtures `args` and `frames`."""

    plugin: ClassVar[type[View]]

    @pytest.fixture
    def frames(self) -> Mapping[str, pd.DataFrame]:
        """The frames that the view needs, by role."""
        return {}

    def make(self, args: Mapping[str, Any]) -> View:
        return self.plugin(self.plugin.Args.model_validate(dict(args)))

    def context(self, **more: Any) -> RenderContext:
        """What the view is rendered in; `more` overrides fields of `sample_context`."""
        return sample_context(**more)

    def test_needs_are_said_without_io(
        self, args: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]
    ) -> None:
        """needs() opens nothing, says the same twice, and each need is a reference or a query of a datasource."""
        view = self.make(args)
        with watched() as found:
            needs: dict[str, Any] = dict(view.needs())
        insist(found == [], f"{self.plugin.__name__}.needs does I/O: {', '.join(found)}")
        insist(needs == dict(view.needs()), "needs() says another thing when it is asked again")
        insist(set(needs) == set(frames), "the fixture `frames` must hold a frame for each role of needs()")
        for role, need in needs.items():
            insist(isinstance(need, Need), f"'{role}' must be a kpi_assets.contracts.Need")
            insist(need.ref or (need.datasource and need.text is not None), f"'{role}' names no query")

    def test_blocks_are_honest(self, args: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]) -> None:
        """The block has the view's id and title, shows no word of the machine, and charts have words."""
        context = self.context()
        block: Any = self.make(args).render(frames, context)
        insist(isinstance(block, Block), "render() must return a Block")
        insist(block.view == context.view, "the block's `view` must be the context's")
        assert_honest_block(block)

    def test_frames_are_not_changed(
        self, args: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]
    ) -> None:
        """Values, types, columns and index of the frames are afterwards what they were: other views get them too."""
        import pandas as pd

        before = {role: frame.copy(deep=True) for role, frame in frames.items()}
        self.make(args).render(frames, self.context())
        insist(set(frames) == set(before), "render() added or removed frames")
        for role, frame in frames.items():
            try:
                pd.testing.assert_frame_equal(frame, before[role])
            except AssertionError as error:
                raise AssertionError(f"render() changed the frame '{role}': {error}") from None

    def test_the_same_frames_give_the_same_block(
        self, args: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]
    ) -> None:
        """Rendered twice, by one view or by two, the block is the same to the byte: no clock, no chance."""
        view = self.make(args)
        first = view.render(frames, self.context()).model_dump_json()
        insist(view.render(frames, self.context()).model_dump_json() == first, "the second block differs")
        insist(
            self.make(args).render(frames, self.context()).model_dump_json() == first, "another view differs"
        )

    def test_rendering_stays_inside(
        self, args: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]
    ) -> None:
        """A view asks neither the network nor a database nor another program: all it needs are its frames."""
        with watched(OUTSIDE) as found:
            self.make(args).render(frames, self.context())
        insist(found == [], f"{self.plugin.__name__}.render reaches outside: {', '.join(found)}")

    def test_no_rows_are_no_accident(
        self, args: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]
    ) -> None:
        """Frames without rows give an honest block, or an error of kpi_assets that says why not."""
        empty = {role: frame.iloc[:0].copy() for role, frame in frames.items()}
        try:
            block = self.make(args).render(empty, self.context())
        except KpiAssetsError:
            return
        assert_honest_block(block)

    @pytest.mark.parametrize("cols", [1, 2, 6])
    def test_every_width_can_be_drawn(
        self, args: Mapping[str, Any], frames: Mapping[str, pd.DataFrame], cols: int
    ) -> None:
        """One column, two and the whole row give honest blocks, with bitmaps where those are asked for."""
        pictures = frozenset({"svg", "png"})
        block = self.make(args).render(frames, self.context(cols=cols, pictures=pictures))
        assert_honest_block(block)
        bare = [picture.name for picture in block.pictures if picture.png is None]
        insist(bare == [], f"pictures without a bitmap, which mail and chat need: {', '.join(bare)}")

    def test_every_format_can_be_written(
        self, args: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]
    ) -> None:
        """Page, Markdown, mail, chat and data files can be made of the block, and the page shows its title."""
        context = self.context(title="Title of the sample", pictures=frozenset({"svg", "png"}))
        block = self.make(args).render(frames, context)
        document = sample_document(WRITTEN, [block])
        page = document.file("index.html").content.decode()
        insist(not block.framed or "Title of the sample" in page, "the page does not show the title")
