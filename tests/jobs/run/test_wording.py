from jobs.run.wording import dates_in_words
from tests.rows import DAY, NEXT_DAY


def test_dates_in_words() -> None:
    assert dates_in_words([DAY]) == "2026-01-31"
    assert dates_in_words([NEXT_DAY, DAY]) == "2 dates from 2026-01-31 to 2026-02-01"
