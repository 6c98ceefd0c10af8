"""Maps and pictures made from a model's own outputs."""
