"""Doors: the command line and the dashboard."""
