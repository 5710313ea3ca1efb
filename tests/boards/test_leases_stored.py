"""Leases in the database: they are there again after the commander has been restarted, on SQLite and PostgreSQL."""

from sqlalchemy import select

from commander.boards import leases
from commander.boards.tables import board_history
from commander.boards.wishes import Asker, Limits
from commander.db_edge import Database
from commander.effects import Put
from schema import fleet
from tests.boards.board_farm import ICE, wish
from tests.commander.conftest import cluster, database, empty_sqlite, url  # noqa: F401
from tests.commander.line import Line, node_row


def test_a_lease_outlives_the_commander(database: Database) -> None:  # noqa: F811
    line = Line(database)
    line.apply([Put("node", "bench", node_row("bench", kind="board"))])
    boards = {"boards": {f"e66{n}": {"state": "ready", **ICE} for n in range(2)}, "kinds": ["pulsecount"]}
    line.send(fleet.STATE, "ready", node="bench")
    line.send(fleet.LOG, {"ts": 0, "level": "info", "text": "here"}, node="bench")
    line.send(fleet.REPORTED, {"rev": 0, "status": "applied", "data": boards}, "leases", node="bench")
    made = [
        line.asked(lambda farm, m, u=user: leases.reserve(farm, Asker(u), wish(2, args={"a": [1]}), Limits(), m))[0]
        for user in ("ann", "bob")
    ]
    assert [row["state"] for row in made] == ["active", "waiting"]
    assert line.reloaded() == line.in_memory()

    line = Line(database, line.keys)
    assert [line.farm["board_lease"][row["id"]] for row in made] == made
    assert [each["lease"] for each in line.farm["desired"]["bench", "leases"]["data"]["boards"]] == [made[0]["id"]] * 2
    line.asked(lambda farm, m: leases.end(farm, Asker("ann"), made[0]["id"], [], m))
    assert line.reloaded() == line.in_memory()
    assert line.farm["board_usage"]["ann"]["board_ms"] >= 0
    assert line.farm["board_lease"][made[1]["id"]]["state"] == "active"
    with line.database.reading() as connection:
        rows = connection.execute(select(board_history)).mappings().all()
    assert [row["what"] for row in rows if row["user"] == "ann"] == ["asked", "begun", "begun", "ended", "ended"]
