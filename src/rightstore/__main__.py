"""`python -m rightstore`: the command line."""

from rightstore.cli.main import run

if __name__ == "__main__":
    run()
