"""Maps of what an answer hangs on, tests of them, and their pictures."""
