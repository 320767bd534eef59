"""Repositories: a branch as a bucket that never forgets. Every write is a commit that can be read."""
