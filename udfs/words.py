"""Names, ids and URIs inside free text: whether it holds some of them, and the text without them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

ERASED = "[erased]"
"""What stands where a word was."""

_MARKS = "\"'<>[](){}|,;`=?!“”„‟‘’‚‛«»‹›…"
"""What stands around words."""
_TOKEN = re.compile(rf"[^\s{re.escape(_MARKS)}]+")
"""An id, or a URI as inventories of files have them: none has these characters, which they percent-encode. Text ends it
by a full stop or a colon as well."""
_AROUND = f"{_MARKS}.:"
_BEFORE, _AFTER = r"(?<![\w-])(?<!\w\.)", r"(?![\w-]|\.\w)"


def tokens(text: str) -> Iterator[str]:
    """What may be an id or a URI in a text; a table of images may have URIs with any characters but spaces."""
    for found in _TOKEN.findall(text):
        yield found
        if found[-1] in ".:":
            yield found.rstrip(".:")
    for word in text.split():
        yield word.strip(_AROUND)


@dataclass(frozen=True)
class Words:
    """phrases: few, which may have spaces in them. tokens: any number, which have none."""

    phrases: frozenset[str]
    tokens: frozenset[str]

    @classmethod
    def of(cls, phrases: Iterable[str], tokens: Iterable[str]) -> "Words":
        """Empty ones are nothing to look for. A token that text cannot be split into, as a table of images may have as
        a URI, is looked for as a phrase."""
        whole, split = set(filter(None, phrases)), set(filter(None, tokens))
        unsplit = {token for token in split if not _TOKEN.fullmatch(token)}
        return cls(frozenset(whole | unsplit), frozenset(split - unsplit))

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
