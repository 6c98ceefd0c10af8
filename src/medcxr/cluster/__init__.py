"""Many radiographs on many cores and computers: the home of Ray (extra: scale)."""
