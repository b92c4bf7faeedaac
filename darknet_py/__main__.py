"""What `darknet` and `python -m darknet_py` run."""

from darknet_py import interrupt


def main() -> None:
    """Runs the command line, which Ctrl-C may end at any time."""
    interrupt.listen()
    try:
        from darknet_py.cli import main as run

        run()
    except KeyboardInterrupt:  # before it could be answered better
        interrupt.leave()
    finally:
        interrupt.finish()


if __name__ == "__main__":
    main()
