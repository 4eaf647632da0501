"""What the functions that speak HTTP share."""
