"""What the README says works as it says: its commands, queries and snippets, its outputs and links."""

import importlib.util
import os
import re
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("book_reader", Path(__file__).with_name("reader.py"))
