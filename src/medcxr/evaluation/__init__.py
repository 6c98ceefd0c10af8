"""Figures that are measured: discrimination, calibration, operating points, intervals."""
