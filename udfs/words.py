"""Names, ids and URIs inside free text: whether it holds some of them, and the text without them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

ERASED = "[erased]"
"""What stands where a word was."""

_TOKEN = re.compile(r"[^\s\"'<>\[\](){}|,;`=]+")
"""An id or a URI, which has none of these characters; text ends it by a full stop or a colon as well."""
_BEFORE, _AFTER = r"(?<![\w-])(?<!\w\.)", r"(?![\w-]|\.\w)"


def tokens(text: str) -> Iterator[str]:
    """What may be an id or a URI in a text."""
    for found in _TOKEN.findall(text):
        yield found
        if found[-1] in ".:":
            yield found.rstrip(".:")


@dataclass(frozen=True)
class Words:
    """phrases: few, which may have spaces in them. tokens: any number, which have none."""

    phrases: frozenset[str]
    tokens: frozenset[str]

    @classmethod
    def of(cls, phrases: Iterable[str], tokens: Iterable[str]) -> "Words":
        """Empty ones are nothing to look for."""
        return cls(frozenset(filter(None, phrases)), frozenset(filter(None, tokens)))

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        if not self.phrases:
            return None
        longest_first = sorted(self.phrases, key=lambda phrase: (-len(phrase), phrase))
        return re.compile(f"{_BEFORE}(?:{'|'.join(map(re.escape, longest_first))}){_AFTER}")

    def without(self, text: str) -> str:
        """The text with ERASED in the place of each."""
        if self.tokens:  # first, as a URI may hold a name
            text = _TOKEN.sub(self._token, text)
        return text if self._pattern is None else self._pattern.sub(ERASED, text)

    def in_text(self, text: str) -> bool:
        """Whether the text holds one of them."""
        return self.without(text) != text

    def _token(self, found: re.Match[str]) -> str:
        token = found.group()
        bare = token.rstrip(".:")
        if token in self.tokens:
            return ERASED
        return ERASED + token[len(bare) :] if bare in self.tokens else token
