"""The bench: measures this house against floors in the same run, so that a claim of speed can be repeated.

Theory of operation. Every figure is a ratio: to a server that does the least a durable S3 server can do
(`floor.py`), to a bare file, or to another request of the same server. What is compared takes turns, round by
round, and the median of the rounds' ratios counts, so that a machine that drifts or is shared touches both
alike. The server under test is a process of its own, started as users start it, on a data folder that is
thrown away at the end.
"""

from trivium.app.bench.command import main

__all__ = ["main"]
