"""Databases behind `plugin: sql` of which we know how to stop a statement, bind a moment and read an error."""
