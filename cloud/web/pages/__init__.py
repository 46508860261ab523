"""The pages, one in a file: what it asks the API, and what its template shows of it."""
