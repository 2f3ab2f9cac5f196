"""Where the sentences of a text begin and end, by its signs alone."""

import re

# An end: signs and what closes behind them. Latin ends need white space after them, and no
# lower-case letter behind that, as in "e.g. this"; a sign set off by spaces is an end too.
_END = re.compile(
    r"""(?<![.!?…])(?P<signs>[.!?…]++)["'”’)\]]*+(?=\s++[^\sa-z])"""
    r"""|(?<=\s)[.!?]++(?=\s)"""
    r"""|[。！？]["'”’」』）]*+"""
    r"""|(?=\n)""",
    re.VERBOSE,
)
# What a full stop follows without ending anything: initials and usual short forms
_LONGEST_SHORT = 8
_SHORT = re.compile(
    r"(?:^|[\s(])(?:[A-Z]|al|approx|cf|ca|Dr|ed|eds|e\.g|etc|Eq|Fig|Figs|i\.e|Jr|Mr|Mrs|Ms|No|"
    r"Prof|resp|Sr|St|vs|Vol)$"
)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, white space around it left out.

    Args:
        text: of any length; a line break ends a sentence too.

    Returns:
        Spans in order. All white space lies between them; nothing else does.

    >>> text = "Cells, e.g. neurons, divide. Smith et al. saw it (Fig. 2)!  Why?"
    >>> [text[start:end] for start, end in sentence_spans(text)]
    ['Cells, e.g. neurons, divide.', 'Smith et al. saw it (Fig. 2)!', 'Why?']
    """
    ends = [
        match.end()
        for match in _END.finditer(text)
        if match["signs"] != "." or not _is_short(text, match.start())
    ]
    spans, start = [], 0
    for end in [*ends, len(text)]:
        part = text[start:end]
        begin = start + len(part) - len(part.lstrip())
        stop = start + len(part.rstrip())
        if begin < stop:
            spans.append((begin, stop))
        start = end
    return spans


def _is_short(text: str, end: int) -> bool:
    """Whether the word in front of a full stop is one that is cut short by it."""
    return _SHORT.search(text[max(end - _LONGEST_SHORT, 0) : end]) is not None
