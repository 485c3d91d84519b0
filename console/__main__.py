"""`python -m console`: run the console until it is told to end."""

from console.app import build
from kit.service import main

if __name__ == "__main__":
    main(build)
