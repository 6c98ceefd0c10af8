"""Run the command line as `python -m medcxr`."""

from medcxr.apps.cli.main import run

if __name__ == "__main__":
    run()
