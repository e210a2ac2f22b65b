"""The programs with which people run notebooks, on the real kernel."""
