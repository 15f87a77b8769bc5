"""Runs KPI Reporter in its own environment, with the patch that it needs for SQLite.

KPI Reporter leaves `%s` placeholders in the text that it hands to sqlite3, and binds aware datetimes that do not
compare with text timestamps; without this patch every query with `{from}` fails there.
"""

import runpy

from kpireport_sql.datasource import SQLDatasource

original = SQLDatasource._format_sql


def for_sqlite(self, sql):
    text, params = original(self, sql)
    bound = [p.strftime("%Y-%m-%d %H:%M:%S") if hasattr(p, "strftime") else p for p in params]
    return text.replace("%s", "?"), bound


SQLDatasource._format_sql = for_sqlite
runpy.run_module("kpireport", run_name="__main__")
