"""`python -m catalog`: run the service until it is told to end."""

from catalog.app import build
from kit.service import main

if __name__ == "__main__":
    main(build)
