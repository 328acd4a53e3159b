"""Public data sets by name: where they are, under which terms, and how each is read; one family a file."""
