"""`make bench`: the comparison with KPI Reporter, then the warm overhead. Growth is `python -m benchmarks.growth`."""

from benchmarks import compare, warm

compare.main()
warm.main()
