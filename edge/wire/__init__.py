"""What crosses a process boundary: pure values and codecs. Imports nothing else of edge/."""
