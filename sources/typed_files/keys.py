"""What names that people type are compared by, and how they are shown."""

import unicodedata
from functools import lru_cache

# Invisible letters that are not of category Cf: joiners, fillers and variation selectors.
INVISIBLE = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)


@lru_cache(maxsize=100_000)
def name_key(text: str) -> str:
    """The text by which a name is the same name: e-mails, departments, cost centers, tiers, groups.

    Unicode's compatible form (NFKC), without invisible letters, each run of blanks one blank and
    none at the ends, case folded. The key of a key is itself.
    """
    seen = _visible(unicodedata.normalize("NFKC", text))
    # Folding can make letters that the compatible form joins again.
    folded = unicodedata.normalize(
        "NFKC", unicodedata.normalize("NFKC", seen.casefold()).casefold()
    )
    return " ".join(_visible(folded).split())


def shown_name(text: str) -> str:
    """The name as it is shown: as it was typed, without needless blanks and invisible letters."""
    return " ".join(_visible(unicodedata.normalize("NFC", text)).split())


def _visible(text: str) -> str:
    if text.isascii():
        return text
    return "".join(
        letter
        for letter in text
        if letter not in INVISIBLE and unicodedata.category(letter) != "Cf"
    )
