"""Tables of SQLAlchemy, declared: versions and tracking. They stay relational and never move."""
