"""Two computers that train together come to what one computer comes to."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from small_training import ROOT, write_small_config

pytest.importorskip("torch")
pytestmark = [pytest.mark.train, pytest.mark.slow]


def start_node(rank, port, config, data, workspace):
    """Start torchrun as on a computer of its own."""
    words = ["--nnodes", "2", "--node-rank", str(rank), "--nproc-per-node", "1"]
    place = ["--master-addr", "127.0.0.1", "--master-port", str(port)]
    train = ["train", config.name, "--data", str(data), "--workspace", str(workspace)]
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", *words, *place, "-m", "medcxr", *train,
         "--accelerator", "cpu", "--nodes", "2"],
        cwd=config.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip


def test_two_nodes_train_the_network_that_one_trains(trained, sample_data, tmp_path):
    from safetensors.numpy import load_file

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config, workspace = write_small_config(tmp_path), tmp_path / "workspace"
    nodes = [start_node(rank, port, config, sample_data, workspace) for rank in (0, 1)]
    said = [node.communicate(timeout=280)[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], said
    (folder,) = (workspace / "models").iterdir()
    alone = load_file(trained.model_folder / "model.safetensors")
    together = load_file(folder / "model.safetensors")
    assert alone.keys() == together.keys()
    # Each node normalizes its half of a batch by itself, so means that are kept for that differ.
    learned = [name for name in sorted(alone) if "running_" not in name]
    first, second = (
        np.concatenate([one[name].ravel().astype(np.float64) for name in learned])
        for one in (alone, together)
    )
    assert np.linalg.norm(first - second) < 0.05 * np.linalg.norm(first)
