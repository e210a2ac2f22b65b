"""Values in, MIME bundles out; starts no Spark job."""
