"""The door: what may be known of people, and the proof that no more is."""
