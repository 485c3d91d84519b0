"""`python -m connections`: run the service until it is told to end."""

from connections.app import build
from kit.service import main

if __name__ == "__main__":
    main(build)
