"""What is missing of an edition."""

from __future__ import annotations

from kpi_assets.errors import DataError


class EditionMissingError(DataError):
    """A part of an edition that is needed is not stored, or is damaged. `asset` is what makes it."""

    def __init__(self, asset: str, edition: str, *, damaged: bool = False) -> None:
        self.asset, self.edition, self.damaged = asset, edition, damaged
        report, _, part = asset.partition("/")
        state = "damaged" if damaged else "not there"
        super().__init__(
            f"{part} of edition {edition} of report '{report}' is {state}: materialize it first (asset {asset})"
        )
