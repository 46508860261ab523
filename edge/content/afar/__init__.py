"""What head office publishes at this site: taken over at once, applied when all that it shows is here."""
