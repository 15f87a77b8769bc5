"""Reports whose recipients get an edition of their own each."""
