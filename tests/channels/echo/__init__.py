"""A third channel, for tests: children write lines in a file, and read the answers in another. One folder, one line to register."""
