"""What `add` rests on: the table of media, which files are new, what a table says of them, and what is said."""
