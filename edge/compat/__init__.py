"""One file per older system: its words translated to the hub's capabilities and back. All old quirks live here."""
