"""What each device is offered, how far it is with that, and what it runs."""
