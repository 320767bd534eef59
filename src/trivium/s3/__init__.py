"""The protocol hall: S3 requests and answers, without sockets."""
