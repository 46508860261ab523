"""The bytes of files in the database, each once for a tenant: firmware and pictures."""
