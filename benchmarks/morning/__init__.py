"""Ten thousand reports a morning: see `__main__`."""
