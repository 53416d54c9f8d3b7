"""What runs on a message: an entry point per Lambda, and what they share."""
