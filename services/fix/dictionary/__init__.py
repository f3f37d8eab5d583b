"""FIX dictionaries as data of our own: names, values and layout of messages, without QuickFIX."""

from services.fix.dictionary.dictionary import (
    Dictionary,
    FieldKind,
    Item,
    Layout,
    Version,
    dictionary,
    dictionary_of,
)

__all__ = ["Dictionary", "FieldKind", "Item", "Layout", "Version", "dictionary", "dictionary_of"]
