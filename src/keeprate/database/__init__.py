"""Engine, drivers, migrations and the write lock: the only folder that knows which SQLite it runs on."""
