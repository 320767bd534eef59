"""Places that keep blobs: files, and a private folder for tests."""
