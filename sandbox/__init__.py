"""Stand-ins for what needs an account or a download: cloud, platform, provider, engine."""
