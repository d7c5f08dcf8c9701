"""A Ray cluster of a head without processors and two workers, each in a folder of its own, until standard input ends.

Run as `python -m tests.flows.spreading.ray_nodes FOLDER`; prints the cluster's address and the workers' processes.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from ray.cluster_utils import Cluster

MEMORY = 100_000_000


def main(folder: str) -> None:
    """Starts the cluster and waits."""
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp") as session:  # the path of a socket has to be short
        head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": MEMORY, "temp_dir": session}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        workers = [_worker(cluster, Path(folder) / f"worker-{number}") for number in (1, 2)]
        cluster.wait_for_nodes()
        print(json.dumps({"address": cluster.address, "workers": workers}), flush=True)
        sys.stdin.read()
        cluster.shutdown()


def _worker(cluster: Cluster, folder: Path) -> int:
    folder.mkdir()
    os.chdir(folder)
    node = cluster.add_node(num_cpus=1, object_store_memory=MEMORY, wait=False)
    return int(node.all_processes["raylet"][0].process.pid)


if __name__ == "__main__":
    main(*sys.argv[1:])
