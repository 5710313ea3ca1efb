"""The JSON column: text in the database, the same on SQLite and PostgreSQL."""

from typing import Any

import orjson
from sqlalchemy import Text, TypeDecorator
from sqlalchemy.engine import Dialect


class Json(TypeDecorator[Any]):
    """A Python value kept as compact JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return orjson.dumps(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)
