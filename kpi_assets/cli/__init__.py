"""The front door: `kpi-assets ...`. One file per command; heavy libraries are imported inside the commands."""

from __future__ import annotations

from kpi_assets.cli.app import main

__all__ = ["main"]
