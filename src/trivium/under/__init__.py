"""Stores that others own: a directory on this machine today, other people's object stores later."""
