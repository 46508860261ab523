"""The hub's parts: each builds one capability with its routes and background work, and the hub runs them all."""
