"""How Concord is put on a machine: without Docker in `local`, with it in `docker`."""
