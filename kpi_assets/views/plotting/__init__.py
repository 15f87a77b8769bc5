"""A plot from its rows: arguments, series, words, and the scenes that `charts` draws."""
