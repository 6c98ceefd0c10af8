"""What outlines of lungs and heart say: widths, areas, and whether to trust them."""
