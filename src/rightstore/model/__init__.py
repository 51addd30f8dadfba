"""What a record is: entities, parts, facts, their wishes, and questions about them. No I/O."""
