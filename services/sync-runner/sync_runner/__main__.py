"""`python -m sync_runner`: run the service until it is told to end."""

from kit.service import main
from sync_runner.app import build

if __name__ == "__main__":
    main(build)
