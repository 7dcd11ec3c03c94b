"""하이퍼파라미터 찾기: 은닉층 크기와 학습률의 조합을 차례로 학습해 보고 가장 나은 것을 남깁니다."""

import itertools
import json
import time
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

HIDDEN = [32, 64, 128]
LEARNING_RATES = [0.0005, 0.002, 0.01]
EPOCHS = 8
SEED = 7


def main() -> None:
    digits = load_digits()
    rest_x, test_x, rest_y, test_y = train_test_split(
        digits.data / 16.0, digits.target, test_size=0.2, random_state=SEED, stratify=digits.target
    )
    # 고르는 데에는 검증 자료만 씁니다. 평가 자료는 마지막에 한 번만 봅니다.
    train_x, valid_x, train_y, valid_y = train_test_split(
        rest_x, rest_y, test_size=0.25, random_state=SEED, stratify=rest_y
    )
    best, best_model, tried = -1.0, None, []
    began = time.monotonic()
    for trial, (hidden, rate) in enumerate(itertools.product(HIDDEN, LEARNING_RATES), start=1):
        model = MLPClassifier(hidden_layer_sizes=(hidden,), learning_rate_init=rate, random_state=SEED)
        for _ in range(EPOCHS):
            model.partial_fit(train_x, train_y, classes=np.arange(10))
        accuracy = model.score(valid_x, valid_y)
        tried.append({"hidden": hidden, "learning_rate": rate, "accuracy": round(accuracy, 4)})
        print(f"은닉층 {hidden:>3}, 학습률 {rate:<6} → 검증 정확도 {accuracy:.2%}")
        print(json.dumps({"trial": trial, "valid_accuracy": round(accuracy, 4)}), flush=True)
        if accuracy > best:
            best, best_model = accuracy, model

    result = {
        "accuracy": round(float(best_model.score(test_x, test_y)), 4),
        "valid_accuracy": round(best, 4),
        "trials": len(tried),
        "train_seconds": round(time.monotonic() - began, 2),
    }
    Path("trials.json").write_text(json.dumps(tried, indent=2), encoding="utf-8")
    Path("metrics.json").write_text(json.dumps(result, indent=2), encoding="utf-8")
    joblib.dump(best_model, "model.joblib")
    print(f"\n가장 나은 조합의 평가 정확도 {result['accuracy']:.2%}")


if __name__ == "__main__":
    main()
