"""Answers from the marts, and the caveats that go with them, for programs and for people."""
