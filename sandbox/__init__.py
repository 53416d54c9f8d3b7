"""A stand-in for everything that needs an account or a download: cloud, platform, provider, engine."""
