"""Talks to Spark and emits events; knows no notebook."""
