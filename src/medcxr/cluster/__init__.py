"""Many radiographs on many cores and computers: the home of Ray (extra: scale).

It knows nothing of radiographs: it lets workers do numbered tasks.
"""
