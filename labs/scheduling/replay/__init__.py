"""Replay of real traces: one simulator, several policies, what each of them does to waits, fairness and use."""
