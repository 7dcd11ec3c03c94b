"""The name by which a job asks for a kind of GPU, from what its driver calls it."""

from __future__ import annotations

import re

CPU_SLOT = "cpu-slot"
# Memory sizes, buses and form factors tell variants of one type apart; a lab asks for the type.
_VARIANT = re.compile(r"^(\d+gb|pcie|sxm\d*|hbm\d*e?|nvl|graphics|generation|ada|laptop|gpu)$")


def slug_of(product_name: str) -> str:
    """`NVIDIA H100 80GB HBM3` becomes `nvidia-h100`, `NVIDIA GeForce RTX 4090` `nvidia-geforce-rtx-4090`."""
    words = [word for word in re.split(r"[^a-z0-9]+", product_name.lower()) if word]
    if not words or words[0] != "nvidia":
        words.insert(0, "nvidia")
    kept = [word for word in words if not _VARIANT.match(word)]
    return "-".join(kept)[:60] if len(kept) > 1 else "nvidia-gpu"
