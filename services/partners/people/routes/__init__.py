"""HTTP in: people, systems, and what the other services ask."""

from services.partners.people.routes import directory, people, systems

ROUTES = (people.routes, systems.routes, directory.routes)
