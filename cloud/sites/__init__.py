"""Sites and their hubs: enrolment, the sync conversation, the inbox."""
