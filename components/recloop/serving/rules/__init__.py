"""What a merchandiser says of every answer: compiled once for a release, combined for a request."""
