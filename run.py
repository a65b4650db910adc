"""The bot's one command; `python run.py --help` says what it can do."""

from app.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
