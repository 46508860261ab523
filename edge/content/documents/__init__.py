"""Layouts, playlists, schedules and sources as people write them: drafts, versions, publishing, going back."""
