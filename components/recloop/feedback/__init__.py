"""What answers taught: attribution, online metrics and the decision to train again."""
