"""The central database: tables, engines, migrations, and the wake-ups between instances."""
