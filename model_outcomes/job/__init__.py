"""The scheduled job (`loader run`): load new outcomes, build, test and publish."""
