"""Mining in the farm's records: rules.py (pure) says what a share does; grants.py, what a pool gateway may; rigs.py,
what a DUCO rig does now; views.py with counters.py (pure), what it did over time.
"""
