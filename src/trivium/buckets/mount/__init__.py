"""A mounted directory as a bucket: plain files that other programs read and change too."""
