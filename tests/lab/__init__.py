"""The extension for JupyterLab, in a real JupyterLab, Notebook 7 and browser."""
