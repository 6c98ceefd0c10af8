"""Talking to other systems: DICOM associations and DICOMweb (extra: hospital)."""
