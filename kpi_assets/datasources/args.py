"""Arguments of the drivers that KPI Reporter passed through: which are kept, and what to say of the others."""

from __future__ import annotations

import base64
from collections.abc import Mapping


def ignored_sqlite_keys() -> Mapping[str, str]:
    """Arguments of `sqlite3.connect` that mean nothing here."""
    return {
        "detect_types": "text that is all ISO days or moments becomes time by itself; see also query_args.parse_dates",
        "isolation_level": "the file is opened for reading only",
        "check_same_thread": "connections are pooled",
        "factory": "connections are made by kpi_assets",
        "cached_statements": "remove it",
    }


def ignored_mysql_keys() -> Mapping[str, str]:
    """Arguments of `pymysql.connect` that mean nothing here."""
    return {
        "autocommit": "sessions are read-only",
        "cursorclass": "rows become frames",
        "conv": "types are converted by kpi_assets",
        "use_unicode": "text is always Unicode",
        "local_infile": "files are never loaded",
        "defer_connect": "connections open with the first query",
        "compress": "PyMySQL never compressed",
        "named_pipe": "PyMySQL never used pipes",
        "client_flag": "remove it",
        "max_allowed_packet": "remove it",
        "write_timeout": "use statement_timeout",
        "read_timeout": "use statement_timeout",
        "binary_prefix": "remove it",
        "auth_plugin_map": "remove it",
        "server_public_key": "remove it",
    }


def login_as_sent(user: str, password: str) -> str:
    """What a basic login looks like in its header, base64: as good as the password to whoever reads it."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()
