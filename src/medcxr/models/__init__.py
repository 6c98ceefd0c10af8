"""The shipped model bundle."""
