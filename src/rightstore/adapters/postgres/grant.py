"""What the user that the service connects as may do in the schema of its owner: rows, no more."""

from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.ddl import Ddl, Order, owned, quoted, room
from rightstore.adapters.postgres.errors import translated
from rightstore.clock import Clock
from rightstore.ports.connection import Target
from rightstore.ports.schema import Step

WHO = "SELECT current_user::text"
HAS_SCHEMA = "SELECT to_regnamespace($1) IS NOT NULL"
MAY_WORK = """
SELECT has_schema_privilege($2, to_regnamespace($1), 'USAGE')
  AND NOT EXISTS (
    SELECT FROM pg_class
    WHERE relnamespace = to_regnamespace($1) AND (
      relkind IN ('r', 'p') AND NOT (
        has_table_privilege($2, oid, 'SELECT') AND has_table_privilege($2, oid, 'INSERT')
        AND has_table_privilege($2, oid, 'UPDATE') AND has_table_privilege($2, oid, 'DELETE'))
      OR relkind = 'S' AND NOT has_sequence_privilege($2, oid, 'USAGE')))
  AND EXISTS (
    SELECT FROM pg_default_acl, aclexplode(defaclacl) AS given
    WHERE defaclnamespace = to_regnamespace($1) AND defaclobjtype = 'r'
      AND defaclrole = (SELECT oid FROM pg_roles WHERE rolname = current_user)
      AND given.grantee = (SELECT oid FROM pg_roles WHERE rolname = $2)
      AND given.privilege_type = 'DELETE')
"""
GRANTS = (
    "GRANT USAGE ON SCHEMA {room} TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {room} TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {room} TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {room}"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {room} GRANT USAGE, SELECT ON SEQUENCES TO {role}",
)


class PostgresGrants:
    """Implements port `schema` (`Structure`) for the rights of a lesser user of the service."""

    def __init__(
        self, connection: PostgresConnection, namespace: str, clock: Clock, *, service: Target
    ) -> None:
        """`connection` is the owner's; `service` is how the service connects."""
        self._target, self._namespace, self._service = connection.target, namespace, service
        self._ddl = Ddl(connection.target, namespace, clock)

    async def plan(self) -> list[Step]:
        """Return the room, if there is none, and the rights that the service lacks."""
        role = await self._role()
        name = quoted(self._namespace)
        async with owned(self._target, self._namespace) as session:
            with translated("schema", at=self._target.address, outcome="not applied"):
                if await session.fetchval(WHO) == role:
                    return []
                if not await session.fetchval(HAS_SCHEMA, name):
                    return [room(self._namespace), self._step(role)]
                may_work = await session.fetchval(MAY_WORK, name, role)
        return [] if may_work else [self._step(role)]

    async def apply(self, step: Step) -> None:
        """Do one step; rights that are there already are well."""
        await self._ddl.run(step.order, f"{step.subject}: {step.action}")

    async def _role(self) -> str:
        """Ask the server as whom the service comes: the URL need not say it."""
        async with owned(self._service, self._namespace) as session:
            with translated("schema", at=self._service.address, outcome="not applied"):
                return str(await session.fetchval(WHO))

    def _step(self, role: str) -> Step:
        names = {"room": quoted(self._namespace), "role": quoted(role)}
        order = Order(tuple(grant.format(**names) for grant in GRANTS))
        return Step("postgres", f"user {role}", "let it read and write rows here", order=order)
