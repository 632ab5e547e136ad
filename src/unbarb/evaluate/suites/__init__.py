"""One suite a file: texts and systems in, a table of figures out."""
