"""Draws the demo's video, gradient descent with three learning rates: `python draw_video.py gradient-descent.mp4`.

Needs NumPy and Debian's ffmpeg (5.1) with fonts-dejavu-core; README.md says more. Not run by the campus.
"""

import subprocess
import sys

import numpy as np

WIDTH, HEIGHT, FPS = 640, 360, 10
#: (learning rate, what is written above), 15 seconds each
PARTS = ((0.06, "small steps"), (0.35, "good steps"), (1.04, "too large"))
PART_S = 15
STEP_EVERY = 10  # frames
PAPER, INK, BALL, TRAIL = (250, 250, 247), (70, 96, 127), (181, 96, 26), (221, 190, 160)
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def place(x: float) -> tuple[int, int]:
    """Where a point of the loss x² is drawn."""
    return round(WIDTH / 2 + x * 250), round(310 - x * x * 190)


def dot(frame: np.ndarray, x: float, radius: int, colour: tuple[int, int, int]) -> None:
    """Paint a disc on the curve."""
    across, down = place(x)
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    frame[(rows - down) ** 2 + (columns - across) ** 2 <= radius**2] = colour


def frames() -> bytes:
    """All frames, one after another, as RGB bytes."""
    empty = np.full((HEIGHT, WIDTH, 3), PAPER, np.uint8)
    for point in np.linspace(-1.2, 1.2, 900):
        dot(empty, float(point), 1, INK)
    drawn = []
    for rate, _words in PARTS:
        x, trail = 1.0, [1.0]
        for number in range(PART_S * FPS):
            if number and number % STEP_EVERY == 0 and abs(x) < 1.2:
                x -= rate * 2 * x
                trail.append(x)
            frame = empty.copy()
            for passed in trail[:-1]:
                dot(frame, passed, 5, TRAIL)
            dot(frame, x, 9, BALL)
            drawn.append(frame.tobytes())
    return b"".join(drawn)


def main(path: str) -> None:
    """Draw and pack: H.264 without sound, its index in front, no date in it, so that the bytes are the same again."""
    words = ",".join(
        f"drawtext=fontfile={FONT}:fontsize=24:fontcolor=0x1b1c1e:x=24:y=20:text='learning rate {rate} · {said}'"
        f":enable='between(t,{number * PART_S},{(number + 1) * PART_S - 0.05})'"
        for number, (rate, said) in enumerate(PARTS)
    )
    command = [
        "ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}",
        "-r", str(FPS), "-i", "-", "-vf", words, "-c:v", "libx264", "-preset", "veryslow", "-crf", "30",
        "-threads", "1",
        "-pix_fmt", "yuv420p", "-g", "20", "-movflags", "+faststart", "-fflags", "+bitexact", "-flags:v", "+bitexact",
        "-map_metadata", "-1", path,
    ]  # fmt: skip
    subprocess.run(command, input=frames(), check=True)  # noqa: S603 - a fixed command


if __name__ == "__main__":
    main(sys.argv[1])
