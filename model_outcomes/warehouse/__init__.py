"""Runs dbt on a log: builds, marts, documentation, and the other engines that can build."""
