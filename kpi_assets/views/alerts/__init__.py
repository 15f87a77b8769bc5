"""Alerts: when they fired, and how that is drawn."""
