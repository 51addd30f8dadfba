"""Code that must type-check, and code that must not."""
