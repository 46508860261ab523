"""A folder per older system: its words translated to the capabilities and back. All old quirks live here."""
