"""What the launcher needs to see of the application or the sign-in: it listens and says that it is ready.

Usage: stand_in.py NAME_OF_THE_PORT_SETTING. It writes the settings it was given to its log.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Silence: the log is for the settings."""


def main() -> None:
    settings = {name: value for name, value in os.environ.items() if name.startswith("CONCORD_")}
    print(json.dumps(settings), flush=True)
    ThreadingHTTPServer(("127.0.0.1", int(os.environ[sys.argv[1]])), Ready).serve_forever()


if __name__ == "__main__":
    main()
