"""DICOM files without what tells whose they are, by a profile of the standard."""
