"""Who may do what: keys, roles, rate limits, the people of apps; and what every route is made of."""
