"""DynamoDB of AWS, or DynamoDB Local: the room of its driver, which no other room imports."""
