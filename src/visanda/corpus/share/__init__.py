"""What `share` and `expire` rest on: what may leave, under which names, and what must go when."""
