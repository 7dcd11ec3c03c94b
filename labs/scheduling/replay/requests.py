"""The time limit that a job of a trace without limits is taken to have asked for.

People choose from a short menu and ask for far too much. On wagap, which has real limits, the mean of run ÷ limit is
0.23. Each job here gets an accuracy between 0.05 and 0.6 that depends on nothing but its row's number, and the next
entry of the menu above run ÷ accuracy; on Philly that makes a mean of 0.17, and the same limit for runs of 3 and of 55
minutes. So a limit tells roughly as little as real ones do. Every policy is given the same limits; predictions of ours
never learn from them, they only stay below.
"""

from __future__ import annotations

HOUR_S = 3_600.0
DAY_S = 86_400.0
MENU_S = (
    *(HOUR_S * hours for hours in (1, 2, 4, 8, 12)),
    *(DAY_S * days for days in (1, 2, 4, 7, 14, 30, 60, 120, 365)),
)
LEAST_ACCURACY, ACCURACY_SPAN = 0.05, 0.55
#: Knuth's multiplicative hash: neighbours in the file get unlike accuracies.
GOLDEN, WORD = 2_654_435_761, 2**32


def requested_s(run_s: float, row: int) -> float:
    """The limit, in seconds, of the run in this row. Never shorter than the run."""
    accuracy = LEAST_ACCURACY + ACCURACY_SPAN * (row * GOLDEN % WORD) / WORD
    wanted_s = run_s / accuracy
    return next((entry for entry in MENU_S if entry >= wanted_s), max(run_s, MENU_S[-1]))
