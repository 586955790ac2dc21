"""The words a prompt wants to see set: whatever stands in quotation marks."""

import re

# An apostrophe inside a word is no quotation mark: "don't" and "the dog's bowl" ask for no lettering.
_QUOTED = re.compile(
    r"“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|\"([^\"]+)\"|‘([^’]+)’(?!\w)|(?<!\w)'((?:[^']|(?<=\w)'(?=\w))+)'(?!\w)"
)


def labels_in(prompt: str) -> tuple[str, ...]:
    """Return the quoted words in their order, each once."""
    found = (next(group for group in match.groups() if group) for match in _QUOTED.finditer(prompt))
    tidy = (" ".join(label.split()) for label in found)
    return tuple(dict.fromkeys(label for label in tidy if label))
