"""`python3 -m deploy.local.clean`: removes the local data and logs. Standard library only.

What was fetched and installed stays: it is the same every time, and expensive.
"""

import shutil
import sys

from deploy.local.places import Places

BUSY = 75


def main() -> int:
    places = Places()
    with places.only_launcher() as only:
        if not only:
            print("Concord is running here; end it first (Ctrl-C in its window).", file=sys.stderr)
            return BUSY
        for folder in (places.data, places.log):
            if folder.is_dir():
                shutil.rmtree(folder)
            else:
                folder.unlink(missing_ok=True)
        places.state.unlink(missing_ok=True)
    print("Removed the local data and logs.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
