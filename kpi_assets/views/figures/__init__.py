"""Key figures: read from a frame, compared, worded, with the small line of their past."""
