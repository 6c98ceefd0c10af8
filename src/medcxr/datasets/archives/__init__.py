"""Published archives of chest radiographs, each read in the layout in which it is handed out."""
