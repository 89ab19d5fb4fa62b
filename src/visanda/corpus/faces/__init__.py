"""What the verbs of `faces` rest on: the gallery, who is who, who is on screen."""
