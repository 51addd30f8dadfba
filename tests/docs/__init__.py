"""What runs the snippets of the documents."""
