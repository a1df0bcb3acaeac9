"""The command line `loader`: one module per group of commands."""
