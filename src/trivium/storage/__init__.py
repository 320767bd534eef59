"""The cellar: ordered rows in transactions, immutable blobs, and the journal of what happened."""
