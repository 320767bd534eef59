"""Values and vocabulary: what every floor above may know. No network, no disk, no loop of its own."""
