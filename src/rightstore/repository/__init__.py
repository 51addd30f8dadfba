"""What an application holds in its hand: repositories, queries, transactions, over ports only."""
