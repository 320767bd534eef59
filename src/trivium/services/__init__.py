"""What surrounds buckets: the catalog of buckets, uploads in parts, and who may do what."""
