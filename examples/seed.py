"""Make an SQLite database from a file of SQL: python examples/seed.py FILE.sql DATABASE."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path


def main() -> None:
    """Run the statements of the first file into a new database at the second path."""
    statements, database = (Path(argument) for argument in sys.argv[1:])
    database.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(statements.read_text(encoding="utf-8"))
        connection.commit()


if __name__ == "__main__":
    main()
