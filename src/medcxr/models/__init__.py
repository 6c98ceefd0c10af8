"""The shipped model bundles, and which of them answers unless another one is chosen."""
