"""Answers from the marts, with their caveats, for programs and for people."""
