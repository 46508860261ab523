"""Who may do what: keys, roles, rate limits."""
