"""`loader run`: what comes in is loaded, built, tested and published, as one job of a scheduler."""
