"""Builds of a CI server: jobs told from rows."""
