"""Errors of Spark's, as reports: what happened, in which line of the user's, and what to do.

Nothing here asks the driver for long, as it may be dead: what an error holds is read as text.
"""
