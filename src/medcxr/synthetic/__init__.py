"""Radiographs made by projection through a parametric thorax, with exact truth."""
