"""Processes that are killed while they deliver, and what the other side got in the end.

`channels` are the peers, `gate` is the line to them that stops at a given byte, `errand` is the process that delivers,
`trial` kills it once and runs it again, and `tally` counts. Driven by the tests and by `python -m benchmarks.kills`.
"""
