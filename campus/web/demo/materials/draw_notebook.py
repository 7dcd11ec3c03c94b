"""Writes the demo's notebook with its outputs: `python draw_notebook.py learning-rate.ipynb`. Not run by the campus."""

import base64
import json
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np

RATES = (0.06, 0.35, 0.9)
COLOURS = ((70, 96, 127), (13, 127, 118), (181, 96, 26))
WIDTH, HEIGHT, STEPS = 480, 240, 20
CODE = """import numpy as np

def descend(rate, steps=20, w=1.0):
    losses = [w * w]
    for _ in range(steps):
        w -= rate * 2 * w
        losses.append(w * w)
    return np.array(losses)

for rate in (0.06, 0.35, 0.9):
    print(f"{rate:.2f}: {descend(rate)[-1]:.2e}")"""


def losses(rate: float) -> np.ndarray:
    """The loss w² after each step, from w = 1."""
    return (1 - 2 * rate) ** (2 * np.arange(STEPS + 1))


def picture() -> bytes:
    """The three curves as a PNG."""
    image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    image[HEIGHT - 21, 20:] = image[: HEIGHT - 20, 20] = (85, 87, 92)
    across = np.linspace(0, STEPS, (WIDTH - 40) * 4)
    for rate, colour in zip(RATES, COLOURS, strict=True):
        down = np.interp(across, np.arange(STEPS + 1), losses(rate))
        rows = (HEIGHT - 22 - down * (HEIGHT - 42)).astype(int)
        columns = (21 + across / STEPS * (WIDTH - 42)).astype(int)
        image[rows, columns] = image[rows - 1, columns] = colour
    raw = b"".join(b"\0" + row.tobytes() for row in image)
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


def main(path: str) -> None:
    """Write the notebook."""
    printed = "".join(f"{rate:.2f}: {losses(rate)[-1]:.2e}\n" for rate in RATES)
    drawn = {"image/png": base64.b64encode(picture()).decode(), "text/plain": "<Figure size 480x240>"}
    plot = "plot(descend(rate) for rate in (0.06, 0.35, 0.9))"
    cells: list[dict[str, Any]] = [
        words("# 학습률을 바꾸어 보기\n\n손실이 $L(w) = w^2$일 때 한 걸음은 $w \\leftarrow (1 - 2\\eta)\\,w$입니다."),
        code(1, CODE, {"output_type": "stream", "name": "stdout", "text": printed}),
        words("20걸음 뒤의 손실입니다. 그림에서 주황색이 $\\eta = 0.9$입니다: 줄지만 매번 반대편으로 갑니다."),
        code(2, plot, {"output_type": "display_data", "metadata": {}, "data": drawn}),
        words("## 해 보기\n\n1. $\\eta = 0.5$이면 몇 걸음 만에 바닥에 닿을까요?\n2. $\\eta = 1.04$이면 어떻게 될까요?"),
    ]
    metadata = {"language_info": {"name": "python"}}
    found = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    Path(path).write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def words(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(count: int, text: str, output: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": count, "metadata": {}, "source": text, "outputs": [output]}


if __name__ == "__main__":
    main(sys.argv[1])
