"""A year of three reports, simulated: see `__main__`."""
