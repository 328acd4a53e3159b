"""Events become datasets."""
