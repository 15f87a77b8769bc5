"""Blocks to document: every format, the page above all."""
