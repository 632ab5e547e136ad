"""What a language model says of its own accord, and how well it knows clean text."""
