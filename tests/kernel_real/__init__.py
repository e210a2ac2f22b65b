"""The kernel for real: its own process, a real Spark, a real client."""
