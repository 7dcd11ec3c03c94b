"""Executors: what runs a job on a node, behind the one contract of `contract.py`."""
