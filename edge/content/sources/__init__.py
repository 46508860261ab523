"""What is fetched from elsewhere for panels: weather, news, a joke; the last good answer, with its age."""
