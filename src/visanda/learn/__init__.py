"""Learning from pictures: copies, search, clusters, and classifiers trained on people's codes."""
