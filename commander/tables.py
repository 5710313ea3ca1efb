"""All tables of all systems: one metadata for alembic, the names of the state tables for the projection."""

from sqlalchemy import Table

from commander.boards import tables as boards
from commander.fleet import tables as fleet
from commander.mining import tables as mining

metadata = fleet.metadata
STATE: tuple[Table, ...] = fleet.STATE + mining.STATE + boards.STATE
# Known only to the running process: whether and since when each domain's messages come in.
MEMORY = {"door": ["domain"]}


def keys() -> dict[str, list[str]]:
    """Primary key columns of every table that the projection holds."""
    return {table.name: [column.name for column in table.primary_key] for table in STATE} | MEMORY
