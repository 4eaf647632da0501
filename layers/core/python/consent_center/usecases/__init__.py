"""What someone can do: one function each; collaborators are keyword arguments."""
