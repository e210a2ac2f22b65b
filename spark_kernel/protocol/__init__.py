"""Plain data that the layers exchange; standard library only."""
