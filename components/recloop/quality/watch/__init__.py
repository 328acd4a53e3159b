"""The watch: every new day judged against what the days before make likely."""
