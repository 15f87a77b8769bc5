"""X: the calls of its API (`client`), and posts as a frame (`posts`)."""
