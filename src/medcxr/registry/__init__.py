"""Model bundles: manifest, versions, cards."""
