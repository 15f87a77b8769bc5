"""Identifiers that stand for tokens and parameters while a query is parsed."""

from __future__ import annotations

FROM = "kpi_token_from"
TO = "kpi_token_to"
INTERVAL = "kpi_token_interval"
PARAMETER = "kpi_token_parameter"
