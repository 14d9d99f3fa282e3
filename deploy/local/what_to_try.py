"""What the launcher prints when everything is ready: where things are, and commands that show it works."""

from dataclasses import dataclass

TOKEN_GRANT = "urn:concord:demo-persona"
PERSONA = "officer"


@dataclass(frozen=True)
class Addresses:
    application: str
    sign_in: str
    mongodb: str
    kafka: str
    logs: str


def what_to_try(at: Addresses) -> str:
    read_token = "import json, sys; print(json.load(sys.stdin)['access_token'])"
    return f"""\
  {at.application}/                                open this first, and choose who to be
  {at.application}/readyz                          whether something is missing, and what
  {at.application}/api                             what each service offers to other programs
  {at.sign_in}/                                the sign-in of the demo and its people
  {at.mongodb}
  Kafka at {at.kafka}

docs/tutorial.md leads through it in ten minutes.
From a terminal, as the partnership officer, list the partners:
  TOKEN=$(curl -s {at.sign_in}/token -d grant_type={TOKEN_GRANT} -d persona={PERSONA} \\
    | python3 -c "{read_token}")
  curl -s -H "Authorization: Bearer $TOKEN" {at.application}/partners/v1/partners

Logs are in {at.logs}. Ctrl-C ends everything in order; the data stays until `make clean`."""
