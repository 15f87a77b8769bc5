"""The edition store: blocks, notes and documents of every edition, under `$KPI_ASSETS_HOME/editions`."""

from kpi_assets.editions.errors import EditionMissingError
from kpi_assets.editions.store import EditionStore

__all__ = ["EditionMissingError", "EditionStore"]
