"""Trivium: one S3 endpoint over your objects, your files and their history."""

__version__ = "0.1.0"
