"""Who may: tenants, keys, the audit."""
