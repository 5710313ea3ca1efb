"""The farm in memory: the state tables as dicts, changed by Put effects alone and rebuilt from the
database at start.
"""

from typing import Any

from commander.effects import Key, Put, Row


class Projection(dict[str, dict[Key, Row]]):
    """table name -> primary key -> row. Rows are never changed in place, so readers in other threads need no lock."""

    def __init__(self, tables: dict[str, list[str]]) -> None:
        super().__init__({name: {} for name in tables})
        self._keys = tables

    def key_of(self, table: str, row: Row) -> Key:
        """Primary key of a row: one value, or a tuple."""
        columns = self._keys[table]
        return row[columns[0]] if len(columns) == 1 else tuple(row[column] for column in columns)

    def apply(self, put: Put) -> None:
        """Make a Put true in memory."""
        if put.row is None:
            self[put.table].pop(put.key, None)
        else:
            self[put.table][put.key] = put.row

    def load(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Take over what the database holds."""
        self[table] = {self.key_of(table, row): row for row in rows}
