"""Tables: what a column holds decides how its cells are written, aligned and marked."""
