"""What other systems ask: may I send this, to whom, and why."""
