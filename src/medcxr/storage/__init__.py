"""Files kept: atomic writes inside the workspace."""
