"""OpenCV's dnn module, on the same ONNX bytes as ONNX Runtime."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.benchmark.graph import Graph
from scripts.benchmark.onnx_net import onnx_bytes
from scripts.benchmark.peers import Build, Call, PeerError


def start(threads: int) -> None:
    cv2.setNumThreads(threads)


def _build(graph: Graph, x: np.ndarray, engine: tuple[int, ...]) -> Call:
    model = np.frombuffer(onnx_bytes(graph, len(x)), np.uint8)
    try:
        net = cv2.dnn.readNetFromONNX(model, *engine)
        net.setInput(x)
        net.forward()
    except cv2.error as error:
        # what went wrong stands in the last of its lines
        raise PeerError(str(error).strip().splitlines()[-1]) from error

    def call() -> np.ndarray:
        net.setInput(x)
        y: np.ndarray = net.forward()
        return y

    return call


def _with_engine(*engine: int) -> Build:
    return lambda graph, x: _build(graph, x, engine)


SETTINGS: dict[str, Build] = {"opencv": _with_engine()}
if hasattr(cv2.dnn, "ENGINE_CLASSIC"):  # from OpenCV 5 on there are two
    SETTINGS = {
        "opencv": _with_engine(cv2.dnn.ENGINE_NEW),
        "opencv classic": _with_engine(cv2.dnn.ENGINE_CLASSIC),
    }
