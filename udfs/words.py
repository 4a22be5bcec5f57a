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
_SOLID = re.compile(r"\S+")
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
    """phrases: few, which may have spaces in them. tokens: any number, which have none, nor a mark that stands around
    words. solid: any number, which have such marks."""

    phrases: frozenset[str]
    tokens: frozenset[str]
    solid: frozenset[str] = frozenset()

    @classmethod
    def of(cls, phrases: Iterable[str], tokens: Iterable[str]) -> "Words":
        """Empty ones are nothing to look for. A table of images may have any text as a URI, also with spaces."""
        whole, others = set(filter(None, phrases)), set(filter(None, tokens))
        split = {token for token in others if _TOKEN.fullmatch(token)}
        solid = {token for token in others - split if len(token.split()) == 1}
        return cls(frozenset(whole | (others - split - solid)), frozenset(split), frozenset(solid))

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
        if self.solid:
            text = _SOLID.sub(self._solid, text)
        return text if self._pattern is None else self._pattern.sub(ERASED, text)

    def in_text(self, text: str) -> bool:
        """Whether the text holds one of them."""
        return self.without(text) != text

    def _solid(self, found: re.Match[str]) -> str:
        word = found.group()
        for begin in range(len(word)):
            for end in range(len(word), begin, -1):
                if word[begin:end] in self.solid:
                    return word[:begin] + ERASED + word[end:]
                if word[end - 1] not in _AROUND:
                    break
            if word[begin] not in _AROUND:
                break
        return word

    def _token(self, found: re.Match[str]) -> str:
        token = found.group()
        bare = token.rstrip(".:")
        if token in self.tokens:
            return ERASED
        return ERASED + token[len(bare) :] if bare in self.tokens else token
