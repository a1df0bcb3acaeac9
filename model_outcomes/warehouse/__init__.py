"""dbt on a log: builds, what they built, and the engines that can build it."""
