"""What is remembered lately, and no more of it than there is room for."""

from concurrent.futures import ThreadPoolExecutor

from gatehouse.lately import Lately


def test_what_was_kept_is_found_and_what_was_forgotten_is_not() -> None:
    lately: Lately[int] = Lately()
    lately.keep("a", 1)
    lately.keep("a", 2)
    assert (lately.find("a"), lately.find("b")) == (2, None)
    lately.forget("a")
    lately.forget("b")
    assert lately.find("a") is None


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    lately: Lately[int] = Lately(3)
    for number, key in enumerate("abc"):
        lately.keep(key, number)
    lately.find("a")
    lately.keep("b", 7)
    lately.keep("d", 3)
    assert [lately.find(key) for key in "abcd"] == [0, 7, None, 3]


def test_many_threads_may_use_it_at_once() -> None:
    lately: Lately[int] = Lately(10)

    def use(thread: int) -> None:
        for number in range(2_000):
            key = str((thread + number) % 30)
            lately.keep(key, number)
            lately.find(key)
            lately.forget(str(number % 30))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(8)))
    assert sum(lately.find(str(number)) is not None for number in range(30)) <= 10
