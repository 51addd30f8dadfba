"""What a doctor asks of OpenSearch: health, disk, version, clock. It only reads."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from opensearchpy.exceptions import AuthorizationException

from rightstore.adapters.opensearch.client import OpensearchConnection
from rightstore.adapters.opensearch.errors import translated
from rightstore.clock import Clock
from rightstore.ports.checkup import Finding, judge_clock, judge_version

# Above this share of the disk (its high watermark as delivered) it moves shards away, at 95 %
# indices become read-only.
FULL = 0.90


class OpensearchCheckup:
    """Asks OpenSearch through an open connection."""

    def __init__(self, connection: OpensearchConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def examine(self) -> Sequence[Finding]:
        """Look at the cluster and at our rights there, and judge each."""
        target = self._connection.target
        with translated("checkup", at=target.address, outcome="not applied"):
            async with asyncio.timeout(target.timeout):
                info = await self._connection.client.info()
                return [
                    self._version(info["version"]),
                    *await self._cluster(),
                    self._encryption(),
                ]

    def _version(self, version: Mapping[str, Any]) -> Finding:
        if version.get("distribution") == "opensearch":
            return judge_version(str(version["number"]), 2)
        return Finding(
            "version",
            "error",
            f"{version['number']} is not of OpenSearch",
            "name an OpenSearch server in OPENSEARCH_URL",
        )

    async def _cluster(self) -> Sequence[Finding]:
        client = self._connection.client
        try:
            health = await client.cluster.health()
            before = self._clock.now()
            stats = await client.nodes.stats(metric="fs")
        except AuthorizationException:
            return [
                Finding(
                    "health",
                    "warning",
                    "this user may not see the state of the cluster",
                    "give its role the permission cluster_monitor",
                )
            ]
        nodes = list(stats["nodes"].values())
        after = self._clock.now()
        told = [datetime.fromtimestamp(node["timestamp"] / 1000, UTC) for node in nodes]
        clocks = [judge_clock(theirs, before, after) for theirs in told]
        worst = next((clock for clock in clocks if clock.level != "ok"), clocks[0])
        return [self._health(health), *map(self._disk, nodes), worst]

    def _health(self, health: Mapping[str, Any]) -> Finding:
        status, nodes = health["status"], health["number_of_nodes"]
        message = f"{status}, {nodes} nodes, {health['unassigned_shards']} shards without a node"
        if status == "red":
            remedy = "bring its nodes back; GET _cluster/allocation/explain says what is missing"
            return Finding("health", "error", f"{message}: data is missing", remedy)
        if status == "yellow" and nodes > 1:
            remedy = "bring its nodes back; GET _cluster/allocation/explain says what is missing"
            return Finding("health", "warning", f"{message}: copies are missing", remedy)
        return Finding("health", "ok", message)

    def _disk(self, node: Mapping[str, Any]) -> Finding:
        total = node["fs"]["total"]
        used = 1 - total["available_in_bytes"] / total["total_in_bytes"]
        message = f"{used:.0%} used on {node['name']}"
        if used < FULL:
            return Finding("disk", "ok", message)
        return Finding(
            "disk",
            "warning",
            f"{message}: from 95 % on it refuses all writes",
            "free space there, or add a node",
        )

    def _encryption(self) -> Finding:
        target = self._connection.target
        if target.parts("http", "https").scheme == "https":
            return Finding("encryption", "ok", "TLS")
        if target.is_local:
            return Finding("encryption", "ok", "none, within this machine")
        return Finding(
            "encryption",
            "warning",
            "the way to the server is not encrypted",
            "set up TLS there, and begin OPENSEARCH_URL with https://",
        )
