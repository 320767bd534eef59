"""Engines: SQLite, and memory as the model."""
