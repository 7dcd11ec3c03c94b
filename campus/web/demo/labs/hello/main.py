"""첫 작업: 어디에서 무엇으로 실행되는지 묻고, 점 하나씩 그래프를 그립니다. 꾸러미 없이 파이썬만 씁니다."""

import json
import math
import os
import platform
import time

STEPS = 8

print(f"안녕하세요! 여기는 {platform.system()} {platform.machine()}, 파이썬 {platform.python_version()}입니다.")
print(f"CPU {os.cpu_count()}개가 보이고, 작업 번호는 {os.environ.get('CAMPUS_JOB_ID', '알 수 없음')}입니다.")
print(f"GPU: {os.environ.get('CUDA_VISIBLE_DEVICES') or '이 자리는 CPU 슬롯입니다.'}", flush=True)

# 몬테카를로 방법으로 원주율을 구합니다. 점이 늘수록 오차가 줄어듭니다.
state, inside, total = 12345, 0, 0
for step in range(1, STEPS + 1):
    for _ in range(40_000):
        state = (1103515245 * state + 12345) % 2**31
        x = state / 2**31
        state = (1103515245 * state + 12345) % 2**31
        y = state / 2**31
        inside += x * x + y * y <= 1
        total += 1
    estimate = 4 * inside / total
    print(json.dumps({"step": step, "pi": round(estimate, 5), "error": round(abs(estimate - math.pi), 5)}), flush=True)
    time.sleep(0.1)

with open("metrics.json", "w", encoding="utf-8") as file:
    json.dump({"pi": round(4 * inside / total, 5), "error": round(abs(4 * inside / total - math.pi), 5)}, file)
print(f"점 {total:,}개로 구한 원주율은 {4 * inside / total:.5f}입니다. 첫 작업을 마쳤습니다!")
