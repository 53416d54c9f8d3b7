"""What is deployed: settings, look-up of the shared platform, the order receiver and its parts."""
