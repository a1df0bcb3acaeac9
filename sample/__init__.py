"""A sample log: invented models at invented tasks, the same outcomes every time.

`make run` writes it into data/sample/, loads it into data/sample.db, which is its own, and shows
what the warehouse says of it.
"""
