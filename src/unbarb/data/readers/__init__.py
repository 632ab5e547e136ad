"""One reader per public corpus. Each takes the path of a file and gives examples, pairs or terms."""
