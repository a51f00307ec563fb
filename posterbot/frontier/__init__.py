"""What to fetch next: a durable queue in the catalogue's database, shared by any number of workers, host by host."""
