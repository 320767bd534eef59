"""Signatures: who signed a request, and whether the bytes are the ones that were signed."""
