"""What is true, with no computer in sight: pure functions and values over the standard library."""
