"""The home of torch, MONAI and Lightning Fabric: train a model and export its bundle."""
