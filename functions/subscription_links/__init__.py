"""Pages that anyone may open: sign up, confirm, "this was not me", unsubscribe, notice."""
