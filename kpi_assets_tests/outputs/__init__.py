"""Outputs: what lies where when they are done, and when they are not."""
