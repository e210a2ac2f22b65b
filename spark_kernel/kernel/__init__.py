"""The Jupyter kernel; the only part that imports ipykernel."""
