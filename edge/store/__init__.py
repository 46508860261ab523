"""The database: one writer with group commit, read-only readers, numbered migrations, the ledger."""
