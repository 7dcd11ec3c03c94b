"""The database backend: values are bound by PostgreSQL, so that it keeps the plans of queries that come again."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base, features, operations
from psycopg.types.numeric import Int4, Int8

#: Plans kept a connection. The pages ask some five hundred queries; a plan takes tens of KiB.
PLANS_KEPT = 500
#: As many values as one statement may have: the protocol counts them with 16 bits.
PARAMETERS = 2**16 - 1
_INT4 = range(-(2**31), 2**31)


class DatabaseOperations(operations.DatabaseOperations):
    """Whole numbers go as int4 where they fit, else as int8, which PostgreSQL refuses where it must.

    Django says int4 of each one beside an F(), and psycopg's C dumper cuts what is larger to 32 bits: a grant of
    600,000 GPU-hours in seconds would become another number without an error.
    """

    def adapt_integerfield_value(self, value: Any, internal_type: str) -> Any:
        """Return the number as the type that holds it; expressions as they are."""
        if value is None or hasattr(value, "resolve_expression"):
            return value
        return Int4(value) if value in _INT4 else Int8(value)

    def bulk_batch_size(self, fields: Sequence[Any], objs: Sequence[Any]) -> int:
        """How many rows Django writes with one statement. An update names each value with its row's key."""
        return max(1, min(len(objs), PARAMETERS // (2 * max(1, len(fields)))))


class DatabaseFeatures(features.DatabaseFeatures):
    """PostgreSQL's, with the limit of its protocol, which values that are written into the text do not meet."""

    max_query_params = PARAMETERS


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with integers that are never cut and as many plans kept as there are queries."""

    features_class = DatabaseFeatures
    ops_class = DatabaseOperations

    def _configure_connection(self, connection: Any) -> bool:
        # Django calls this for each new connection, of a pool or not; its stubs do not know it.
        connection.prepared_max = PLANS_KEPT
        return bool(super()._configure_connection(connection))  # type: ignore[misc]
