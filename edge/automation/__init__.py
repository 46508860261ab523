"""What happens by itself: webhooks, schedules, notices."""
