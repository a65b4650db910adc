"""What lies on the disk: SQLite files, the data folder, and its lock."""
