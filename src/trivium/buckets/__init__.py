"""The bucket protocol, its three kinds, and what is written once above them: listing, conditions, copying."""
