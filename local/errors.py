"""What can go wrong with the local stack, in words for the person who started it."""


class LocalStackError(Exception):
    """The local stack cannot go on; the message is one line that says what to do."""

    exit_code = 1


class RefusedToStartError(LocalStackError):
    """Nothing was touched: the port is taken, or the state folder is not one this version may use."""

    exit_code = 2
