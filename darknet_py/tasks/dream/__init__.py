"""What a dream is made of: see tasks/nightmare.py, which puts it together."""
