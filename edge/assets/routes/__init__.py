"""/v1 of assets at a hub: apart, because a question needs both what is defined and what the bands answer."""
