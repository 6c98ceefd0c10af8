"""Tables of images with labels, split by patient."""
