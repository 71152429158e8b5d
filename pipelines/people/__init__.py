"""How people are told from each other, hidden, and forgotten."""
