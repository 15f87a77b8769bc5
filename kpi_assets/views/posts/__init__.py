"""Posts of an account: read from rows (`reading`), drawn (`drawing`)."""
