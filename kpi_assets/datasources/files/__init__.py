"""Files as tables: where they are (`finding`), how they are read (`reading`), the database over them (`backend`)."""
