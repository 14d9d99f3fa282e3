"""What the launcher promises: the servers it starts, the faults it names, the files Docker is given."""
