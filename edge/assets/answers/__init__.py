"""Questions about bands and their answers: pure, the same at hub and centre, whoever keeps the bands."""
