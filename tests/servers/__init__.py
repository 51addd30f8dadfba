"""The real servers that the tests talk to: `python -m tests.servers` installs and starts them.

The library never imports this, and it knows nothing of the embedded stack.
"""
