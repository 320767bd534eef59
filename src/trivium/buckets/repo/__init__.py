"""Repositories: a branch as a bucket that never forgets. Every write is a commit, every commit can be read."""
