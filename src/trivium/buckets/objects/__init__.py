"""The objects bucket: keys of our own with versions, their past, renames and tags."""
