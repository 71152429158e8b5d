"""How a command can end."""

DONE, FAILED, WRONG_USAGE, HELD, REJECTED = range(5)
INTERRUPTED, TERMINATED = 130, 143
EXIT_CODES = {
    DONE: "done",
    FAILED: "failed; the message says what, why, and what to do",
    WRONG_USAGE: "wrong usage",
    HELD: "another run holds the warehouse",
    REJECTED: "done, but some rows could not be read or are not believed; status says which",
    INTERRUPTED: "stopped with Ctrl-C (SIGINT); what was committed stays",
    TERMINATED: "stopped from outside (SIGTERM, SIGHUP); what was committed stays",
}


def meaning(exit_code: int) -> str:
    """The code in a few words, for a sentence."""
    return EXIT_CODES.get(exit_code, "stopped").split(";")[0]
