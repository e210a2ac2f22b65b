"""Spark Connect: a session on a server, through gRPC in place of py4j."""
