"""Datasources: one file per backend, and the machinery that SQL backends share.

A query's way: `options` reads its arguments, `tokens` turns `{from}`, `{to}` and `{interval}` into bound parameters,
`guard` refuses what is not one reading statement, a `Backend` sends it and hands rows to a `fetch` sink, `frame` makes
the frame. `analysis` decides, without a backend, whether days can be cut.
"""
