"""Mining in the farm's records: rules.py (pure) says what a share does; grants.py, what a pool gateway may."""
