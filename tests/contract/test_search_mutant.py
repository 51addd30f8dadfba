"""The checks of search can fail: each planted bug in the memory adapter is caught by a named one.

It cannot say that every bug would be.
"""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from rightstore.adapters.memory import search
from rightstore.clock import SYSTEM
from rightstore.errors import RightstoreError
from rightstore.model import word
from rightstore.ports import question
from rightstore.ports.search import Document
from rightstore.testing.contract.search_check import SearchCheck
from rightstore.testing.contract.search_sample import SAMPLES
from rightstore.testing.contract.search_suite import CHECKS

BY_NAME = {check.name: check for check in CHECKS}
# What a failed check raises: an assertion, an unexpected error of ours, or a missing one.
FAILED = (AssertionError, RightstoreError, pytest.fail.Exception)
Plant = Callable[[pytest.MonkeyPatch], None]


def instead(module: Any, name: str, bug: Any) -> Plant:
    return lambda patch: patch.setattr(module, name, bug)


def take_anything(self: Any, there: dict[str, Document], document: Document) -> bool:
    """Take a document whatever is there."""
    there[document.key] = document
    return True


def forget(self: Any, there: dict[str, Document], document: Document) -> bool:
    """Remove what is deleted, version and all."""
    old = there.get(document.key)
    if old and old.version >= document.version:
        return False
    there[document.key] = document
    if document.data is None:
        del there[document.key]
    return True


def any_word(fields: Any, wanted: Any, data: Any) -> float:
    """Be content with one of the words."""
    held = [some for field in fields for some in word.words(field.of(data))]
    return float(sum(term.weigh(some) for some in held for term in wanted))


def unescaped(text: str, wanted: Any) -> str | None:
    first = next((it for it in text.split() if word.words(it) and word.words(it)[0] == "bike"), "")
    return text.replace(first, f"<mark>{first}</mark>") if first else None


def of_the_page(
    declaration: Any, ask: Any, found: Any, page: Callable[..., Any] = question.page
) -> Any:
    """Forget that there is more."""
    return dict(page(declaration, ask, found)) | {"next": None}


async def swap_and_keep(self: Any, declaration: Any, generation: int) -> None:
    """Leave the generation before."""
    self._shelf(declaration).live = generation


def with_zeros(found: Any, histogram: Any, buckets: Any = search.buckets) -> Any:
    counted = buckets(found, histogram)
    return (replace(counted[0], count=0), *counted) if counted else counted


MUTANTS: list[tuple[str, Plant, str]] = [
    ("no versions", instead(search.MemoryIndex, "_take", take_anything),
     "an_older_version_changes_nothing_and_succeeds"),
    ("any order", instead(search.MemoryIndex, "_take", take_anything),
     "any_order_of_writes_ends_with_the_newest"),
    ("no tombstone", instead(search.MemoryIndex, "_take", forget),
     "a_tombstone_hides_a_document_and_bars_older_ones"),
    ("no limit", instead(search, "refusal", lambda *_: None),
     "one_document_that_is_refused_stops_no_other"),
    ("a key twice", instead(search, "judge_documents", lambda *_: None),
     "what_must_not_come_in_one_call_is_refused"),
    ("old generation", instead(search.MemorySearch, "swap", swap_and_keep),
     "the_generation_before_is_gone_and_is_not_made_again"),
    ("any word", instead(search, "_weight", any_word), "every_word_must_be_in_some_field"),
    ("accents", instead(word, "folded", str.lower),
     "words_are_found_without_case_accents_and_signs"),
    ("any typo", instead(word, "is_near", lambda one, other: one[0] == other[0]),
     "two_letters_wrong_short_words_and_numbers_are_not"),
    ("no typo", instead(word, "is_near", lambda *_: False), "one_letter_wrong_is_forgiven"),
    ("markup", instead(question, "marked", unescaped),
     "what_was_found_is_marked_and_everything_else_escaped"),
    ("no filter", instead(search, "satisfies", lambda *_: True), "words_and_filters_go_together"),
    ("no order", instead(search, "sort_key", lambda *_: ()),
     "none_comes_first_going_up_and_last_going_down"),
    ("no position", instead(search, "is_after", lambda *_: True), "pages_by_fields_show_each_once"),
    ("no next", instead(search, "page", of_the_page),
     "by_relevance_pages_go_on_to_a_thousand_and_say_so"),
    ("lists", instead(search, "_distinct", lambda value: value if isinstance(value, list) else []),
     "a_facet_of_a_list_counts_each_item_once"),
    ("zeros", instead(search, "buckets", with_zeros), "a_histogram_counts_by_step_from_zero"),
    ("towards zero", instead(search, "math", SimpleNamespace(floor=int)),
     "a_histogram_counts_by_step_from_zero"),
    ("any bucket", instead(search, "check_buckets", lambda *_: None),
     "too_fine_a_histogram_is_refused"),
    ("any question", instead(search, "judge_ask", lambda *_: None),
     "a_count_that_means_nothing_is_refused"),
]  # fmt: skip


async def run(check: SearchCheck) -> None:
    store = search.MemorySearch(SYSTEM)
    for sample in SAMPLES:
        await store.prepare(sample)
    await check.run(store)


@pytest.mark.parametrize(("plant", "name"), [it[1:] for it in MUTANTS], ids=[m[0] for m in MUTANTS])
async def test_a_planted_bug_is_caught(
    plant: Plant, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(BY_NAME[name])

    plant(monkeypatch)

    with pytest.raises(FAILED):
        await run(BY_NAME[name])


@pytest.mark.parametrize("check", [it for it in CHECKS if it.lacks], ids=lambda it: it.lacks)
async def test_a_store_that_imitates_what_it_says_it_lacks_is_caught(check: SearchCheck) -> None:
    with pytest.raises(FAILED):
        await run(check)
