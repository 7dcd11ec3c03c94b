"""하이퍼파라미터 훑기: params.json에 적힌 은닉층 크기와 학습률로 한 번 학습하고 검증 정확도를 남깁니다."""

import json
import time
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

EPOCHS = 20
SEED = 7


def main() -> None:
    params = json.loads(Path("params.json").read_text(encoding="utf-8"))
    digits = load_digits()
    train_x, valid_x, train_y, valid_y = train_test_split(
        digits.data / 16.0, digits.target, test_size=0.25, random_state=SEED, stratify=digits.target
    )
    model = MLPClassifier(
        hidden_layer_sizes=(params["hidden"],), learning_rate_init=params["learning_rate"], random_state=SEED
    )
    began = time.monotonic()
    print(f"은닉층 {params['hidden']}, 학습률 {params['learning_rate']}", flush=True)
    for epoch in range(1, EPOCHS + 1):
        model.partial_fit(train_x, train_y, classes=range(10))
        accuracy = round(float(model.score(valid_x, valid_y)), 4)
        print(json.dumps({"epoch": epoch, "loss": round(model.loss_, 4), "accuracy": accuracy}), flush=True)
    seconds = round(time.monotonic() - began, 2)
    result = {"accuracy": accuracy, "loss": round(model.loss_, 4), "train_seconds": seconds}
    Path("metrics.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
