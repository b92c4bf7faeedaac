"""ONNX Runtime, with all of its graph optimisations."""

from __future__ import annotations

import numpy as np
import onnxruntime

from scripts.benchmark.graph import Graph
from scripts.benchmark.onnx_net import onnx_bytes
from scripts.benchmark.peers import Build, Call

_options = onnxruntime.SessionOptions()
_options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
_options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
_options.log_severity_level = 3  # errors alone


def start(threads: int) -> None:
    _options.intra_op_num_threads = threads
    _options.inter_op_num_threads = 1


def _build(graph: Graph, x: np.ndarray) -> Call:
    session = onnxruntime.InferenceSession(
        onnx_bytes(graph, len(x)), _options, providers=["CPUExecutionProvider"]
    )
    inputs = {"x": x}

    def call() -> np.ndarray:
        y: np.ndarray = session.run(["y"], inputs)[0]
        return y

    return call


SETTINGS: dict[str, Build] = {"onnxruntime": _build}
