"""What a store must be able to do: one small Protocol a file. Promises, no behaviour."""
