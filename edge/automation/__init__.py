"""What happens by itself: webhooks, schedules."""
