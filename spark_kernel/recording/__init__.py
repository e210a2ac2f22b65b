"""Records of cells in notebooks: written by whatever runs one, read by who asks what is stale."""
