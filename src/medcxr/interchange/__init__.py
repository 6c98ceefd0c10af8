"""Results as the objects that hospitals exchange: DICOM and FHIR. The home of highdicom (extra: hospital)."""
