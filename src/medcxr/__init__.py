"""Chest X-ray decision support: read, check, score, explain and measure frontal radiographs."""

__version__ = "0.1.0"
