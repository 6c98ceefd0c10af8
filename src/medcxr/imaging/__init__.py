"""Pixels in: read radiographs and prepare them for a model."""
