"""What the panels of all sites show: documents and pictures of a tenant, and what sites have of them."""
