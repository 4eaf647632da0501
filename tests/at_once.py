"""Acts that start together."""

import threading
from collections.abc import Callable


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run all acts in threads that start together; answers what each returned or raised."""
    outcomes: list[object] = []
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        start.wait()
        try:
            outcomes.append(act())
        except Exception as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
