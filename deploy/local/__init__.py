"""The local stack: a real MongoDB, a real Kafka and the services as children of one launcher, on loopback."""
