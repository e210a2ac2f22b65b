"""Figures against plain ipykernel, alternating in one run; results in ``RESULTS.md``."""
