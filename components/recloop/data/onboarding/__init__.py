"""What a stranger's table means: columns, times, kinds of event, limits; and what is doubtful about it."""
