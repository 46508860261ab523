"""The older sensors-and-switches app from anywhere: people's requests, done by the hubs that have their things."""
