"""A real Ray cluster of two nodes on loopback."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

ENVIRONMENT = {
    "PYTHONPATH": str(Path(__file__).parents[1]),
    # Else Ray takes this machine's other address where 127.0.0.1 was said.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Of whoever starts the cluster, before Ray is imported there, and of whoever joins it."""


def need_ray() -> None:
    """Skip the test where Ray isn't installed."""
    pytest.importorskip("ray", reason="Ray is not installed: requirements-ray.txt")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RayCluster:
    """Two nodes, each with one processor for Ray; the first is also the bot's own machine."""

    def __init__(self, port: int, environments: Sequence[Mapping[str, str]] = ({}, {})) -> None:
        from ray.cluster_utils import Cluster

        self._node = {
            "num_cpus": 1,
            "num_gpus": 0,
            "node_ip_address": "127.0.0.1",
            "object_store_memory": 80 * 2**20,
            "include_dashboard": False,
        }
        first, second = (dict(each) or None for each in environments)
        head = {**self._node, "gcs_server_port": port, "env_vars": first}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._second = self._cluster.add_node(**self._node, env_vars=second)
        self.address = str(self._cluster.address)

    def kill_second(self) -> None:
        """By SIGKILL: its raylet, and its workers with it."""
        self._cluster.remove_node(self._second, allow_graceful=False)

    def kill_painters(self) -> int:
        """Likewise the actors of both nodes, and neither node; returns how many there were."""
        raylets = {
            info.process.pid
            for node in self._cluster.list_all_nodes()
            for info in node.all_processes["raylet"]
        }
        painters = [pid for pid in _pids() if _is_painter(pid) and _parent(pid) in raylets]
        for pid in painters:
            os.kill(pid, signal.SIGKILL)
        return len(painters)

    def add_second(self) -> None:
        """Another node joins in its place."""
        self._second = self._cluster.add_node(**self._node)

    def kill_first(self) -> None:
        """Likewise the head with what it knows."""
        self._cluster.remove_node(self._cluster.head_node, allow_graceful=False)

    def close(self) -> None:
        import ray

        ray.shutdown()
        self._cluster.shutdown()


def _pids() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def _is_painter(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::RemotePainter")
    return False


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


@contextlib.contextmanager
def ray_cluster(
    port: int | None = None, environments: Sequence[Mapping[str, str]] = ({}, {})
) -> Iterator[RayCluster]:
    """Skips the test where Ray isn't installed; `ENVIRONMENT` must be set.

    `environments` are what each node has beside that.
    """
    need_ray()
    cluster = RayCluster(port or free_port(), environments)
    try:
        yield cluster
    finally:
        cluster.close()
