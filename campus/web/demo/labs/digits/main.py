"""손글씨 숫자 분류기: 8×8 숫자 그림 1,797장으로 작은 신경망을 학습하고 평가합니다.

위쪽의 대문자 값을 바꾸어 가며 검증 정확도를 올려 보세요.
"""

import csv
import json
import time
from pathlib import Path

import joblib
import matplotlib

matplotlib.use("Agg")  # 화면이 없는 곳에서 그림을 파일로 저장합니다.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

EPOCHS = 25
HIDDEN = (256, 128)
LEARNING_RATE = 0.001
BATCH_SIZE = 64
SHIFT = True  # 한 픽셀씩 옮긴 그림을 학습에 더합니다.
SEED = 7

NAMES_FILE = Path("/data/digit-names/names.csv")


def read_names() -> list[str]:
    """자료집에서 숫자의 우리말 이름을 읽습니다. 자료집이 없으면 숫자를 그대로 씁니다."""
    if not NAMES_FILE.exists():
        return [str(digit) for digit in range(10)]
    with NAMES_FILE.open(encoding="utf-8") as file:
        return [row["ko"] for row in csv.DictReader(file)]


def shifted(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """위, 아래, 왼쪽, 오른쪽으로 한 픽셀씩 옮긴 그림을 더해 다섯 배로 늘립니다."""
    moves = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
    more = [np.roll(images, move, axis=(1, 2)) for move in moves]
    return np.concatenate(more), np.tile(labels, len(moves))


def draw_confusion(matrix: np.ndarray, path: str) -> None:
    """혼동 행렬을 그림으로 저장합니다. 세로는 정답, 가로는 예측입니다."""
    figure, axes = plt.subplots(figsize=(6, 5.4), dpi=120)
    axes.imshow(matrix, cmap="Blues")
    for truth in range(10):
        for guess in range(10):
            count = matrix[truth, guess]
            if count:
                colour = "white" if count > matrix.max() / 2 else "black"
                axes.text(guess, truth, str(count), ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(range(10))
    axes.set_yticks(range(10))
    axes.set_xlabel("Predicted digit")
    axes.set_ylabel("True digit")
    axes.set_title("Handwritten digits: confusion matrix")
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    names = read_names()
    digits = load_digits()
    images, labels = digits.images / 16.0, digits.target
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=0.25, random_state=SEED, stratify=labels
    )
    if SHIFT:
        train_x, train_y = shifted(train_x, train_y)
    train_x = train_x.reshape(len(train_x), -1)
    test_x = test_x.reshape(len(test_x), -1)
    print(f"학습 {len(train_x):,}장, 평가 {len(test_x):,}장, 은닉층 {HIDDEN}, 학습률 {LEARNING_RATE}", flush=True)

    model = MLPClassifier(
        hidden_layer_sizes=HIDDEN, learning_rate_init=LEARNING_RATE, batch_size=BATCH_SIZE, random_state=SEED
    )
    began = time.monotonic()
    for epoch in range(1, EPOCHS + 1):
        model.partial_fit(train_x, train_y, classes=np.arange(10))
        accuracy = model.score(test_x, test_y)
        # 이렇게 한 줄 JSON을 출력하면 작업 화면의 그래프에 점이 찍힙니다.
        print(json.dumps({"epoch": epoch, "loss": round(model.loss_, 4), "accuracy": round(accuracy, 4)}), flush=True)
    seconds = time.monotonic() - began

    guesses = model.predict(test_x)
    matrix = confusion_matrix(test_y, guesses, labels=np.arange(10))
    print("\n숫자별 정확도")
    for digit, name in enumerate(names):
        right, total = matrix[digit, digit], matrix[digit].sum()
        print(f"  {digit} ({name})  {right / total:6.1%}  {right}/{total}")
    wrong = [(matrix[t, g], t, g) for t in range(10) for g in range(10) if t != g and matrix[t, g]]
    for count, truth, guess in sorted(wrong, reverse=True)[:3]:
        print(f"  {names[truth]}({truth})을(를) {names[guess]}({guess})(으)로 잘못 본 그림: {count}장")

    draw_confusion(matrix, "confusion-matrix.png")
    joblib.dump(model, "model.joblib")
    result = {
        "accuracy": round(float(model.score(test_x, test_y)), 4),
        "loss": round(float(model.loss_), 4),
        "epochs": EPOCHS,
        "train_seconds": round(seconds, 2),
    }
    Path("metrics.json").write_text(json.dumps(result, indent=2), encoding="utf-8")
    print(f"\n최종 정확도 {result['accuracy']:.2%}, 학습 시간 {seconds:.1f}초")


if __name__ == "__main__":
    main()
