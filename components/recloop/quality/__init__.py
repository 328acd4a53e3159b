"""Great Expectations guards what comes in."""
