"""One operation, one file: what it computes, its matching rule, its step, its kernel."""
